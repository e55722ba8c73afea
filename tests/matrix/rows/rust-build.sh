# rustc and cargo: a program with threads, generics, collections and panics, built and tested
# grade=medium group=build time=400 memory=2500 engines="qemu auto bt"
mkdir -p p/src; cd p; printf '[package]\nname = "p"\nversion = "0.1.0"\nedition = "2021"\n[profile.dev]\nopt-level = 1\n' >Cargo.toml
cat >src/main.rs <<'R'
use std::{collections::{BTreeMap, HashMap}, sync::{mpsc, Arc, Mutex}, thread, fmt};
#[derive(Debug, Clone, PartialEq)] enum Tok { Num(f64), Op(char), Open, Close }
#[derive(Debug)] struct Bad(char); impl fmt::Display for Bad { fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result { write!(f, "bad {:?}", self.0) } }
fn lex(s: &str) -> Result<Vec<Tok>, Bad> { let mut o = vec![]; let mut c = s.chars().peekable(); while let Some(&x) = c.peek() { match x { '0'..='9' | '.' => { let mut n = String::new(); while let Some(&d) = c.peek() { if d.is_ascii_digit() || d == '.' { n.push(d); c.next(); } else { break } } o.push(Tok::Num(n.parse().unwrap())) } '+' | '-' | '*' | '/' => { o.push(Tok::Op(x)); c.next(); } '(' => { o.push(Tok::Open); c.next(); } ')' => { o.push(Tok::Close); c.next(); } ' ' => { c.next(); } _ => return Err(Bad(x)) } } Ok(o) }
fn expr(t: &[Tok], p: &mut usize) -> f64 { let mut v = term(t, p); while let Some(Tok::Op(o @ ('+' | '-'))) = t.get(*p) { *p += 1; let r = term(t, p); if *o == '+' { v += r } else { v -= r } } v }
fn term(t: &[Tok], p: &mut usize) -> f64 { let mut v = atom(t, p); while let Some(Tok::Op(o @ ('*' | '/'))) = t.get(*p) { *p += 1; let r = atom(t, p); if *o == '*' { v *= r } else { v /= r } } v }
fn atom(t: &[Tok], p: &mut usize) -> f64 { match &t[*p] { Tok::Num(n) => { *p += 1; *n } Tok::Open => { *p += 1; let v = expr(t, p); *p += 1; v } x => panic!("unexpected {x:?}") } }
fn main() {
    println!("{}", expr(&lex("2 * (3 + 4.5) - 10 / 4").unwrap(), &mut 0)); if let Err(e) = lex("2 $ 3") { println!("{e}") }
    let m = Arc::new(Mutex::new(HashMap::new())); let hs: Vec<_> = (0..6).map(|i| { let m = m.clone(); thread::spawn(move || for j in 0..2000u64 { *m.lock().unwrap().entry(j % 37).or_insert(0) += j * i }) }).collect(); for h in hs { h.join().unwrap() }
    let b: BTreeMap<_, _> = m.lock().unwrap().iter().map(|(k, v)| (*k, *v)).collect(); println!("{:?}", b.iter().take(3).collect::<Vec<_>>());
    let (tx, rx) = mpsc::channel(); for i in 0..4 { let tx = tx.clone(); thread::spawn(move || for j in 0..100 { tx.send(i * j).unwrap() }); } drop(tx); println!("{}", rx.iter().sum::<i32>());
    println!("{:?}", std::panic::catch_unwind(|| { let v: Vec<i32> = vec![]; v[std::env::args().count()] }).is_err()); println!("{:.3e} {:x} {:?}", 1.0e300 / 3.0, u128::MAX / 7, "ünï".to_uppercase());
}
#[test] fn lexes() { assert_eq!(lex("1+2").ok().unwrap().len(), 3) } #[test] #[should_panic] fn panics() { expr(&lex("+").ok().unwrap(), &mut 0); }
R
export CARGO_HOME=/tmp/c CARGO_TERM_COLOR=never; cargo build -q --offline 2>&1 | grep -c '^error'; ./target/debug/p 2>/dev/null; cargo test -q --offline 2>/dev/null | grep -o 'test result: ok. [0-9]* passed'; cargo run -q --offline 2>/dev/null | head -n 1
