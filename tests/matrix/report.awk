# The cells of run.sh as Markdown (form=markdown) or one page of HTML (form=html): see the fields there.
# Everything is in the page: no other file, no network.
BEGIN {
    FS = "\t"
    split("basic medium hard brutal", grades, " ")
    nengines = split("native qemu auto launcher interp bt", engines, " ")
    label["native"] = "native"; label["qemu"] = "qemu-user"; label["auto"] = "Dragoman"
    label["launcher"] = "launcher alone"; label["interp"] = "interpreter"; label["bt"] = "translator"
    mark["fail"] = mark["timeout"] = mark["memory"] = "✗"; mark["skip"] = mark["absent"] = "–"
}
{
    if (!($1 in grade)) {
        rows[++nrows] = $1
        grade[$1] = $2; group[$1] = $3; what[$1] = $4
    }
    place = $5 SUBSEP $6
    if (!(place in seen)) {
        places[++nplaces] = place
        seen[place] = 1
    }
    column = place SUBSEP $7
    used[column] = 1
    c = $1 SUBSEP column
    state[c] = $8; time[c] = $9; wall[c] = $10; reason[c] = $11; log_file[c] = $12
    if ($13 != "-" && $13 != "")
        cells_of[$13]++
    if ($8 == "absent")
        missing[column, $2]++
    else if ($8 != "skip") {
        ran[column, $2]++
        if ($8 == "pass")
            good[column, $2]++
    }
    if ($8 == "skip")
        skipped[column, $2]++
}
# Without making an entry.
function is(c) {
    return c in state ? state[c] : ""
}
# Times native, or seconds where there is no native time.
function factor(r, column,    c, n) {
    c = r SUBSEP column
    n = r SUBSEP native_of(column)
    if (is(c) != "pass")
        return ""
    if (n == c || is(n) != "pass" || time[n] < 1000)
        return sprintf("%.1f s", time[c] / 1e6)
    return sprintf("%.1f×", time[c] / time[n])
}
function native_of(column,    part) {
    split(column, part, SUBSEP)
    return part[1] SUBSEP part[2] SUBSEP "native"
}
function title(column,    part) {
    split(column, part, SUBSEP)
    return part[2] (part[1] == "trixie" ? "" : " " part[1])
}
function columns(    i, j, n) {
    n = 0
    for (i = 1; i <= nplaces; i++)
        for (j = 1; j <= nengines; j++)
            if ((places[i] SUBSEP engines[j]) in used) {
                list[++n] = places[i] SUBSEP engines[j]
                engine[n] = engines[j]
            }
    return n
}
# Geometric mean of qemu's time over Dragoman's, where both pass.
function speed(place,    i, q, d, n, sum) {
    n = sum = 0
    for (i = 1; i <= nrows; i++) {
        q = rows[i] SUBSEP place SUBSEP "qemu"
        d = rows[i] SUBSEP place SUBSEP "auto"
        if (is(q) == "pass" && is(d) == "pass" && time[d] > 0 && time[q] > 0) {
            n++
            sum += log(time[q] / time[d])
        }
    }
    return n ? sprintf("%.2f (%d rows)", exp(sum / n), n) : ""
}
function percent(column, g,    n, s) {
    n = ran[column, g]
    s = n ? sprintf("%d of %d", good[column, g], n) : ""
    if (skipped[column, g])
        s = s (s == "" ? "" : ", ") skipped[column, g] " skipped"
    if (missing[column, g])
        s = s (s == "" ? "" : ", ") missing[column, g] " not run"
    return s
}
# Which revisions the cells come from.
function revisions(    r, s) {
    for (r in cells_of)
        s = s (s == "" ? "" : ", ") r " (" cells_of[r] " cells)"
    return s == "" ? "" : "Dragoman's revision: " s
}
function escape(s) {
    gsub(/&/, "\\&amp;", s)
    gsub(/</, "\\&lt;", s)
    gsub(/>/, "\\&gt;", s)
    gsub(/"/, "\\&quot;", s)
    return s
}
END {
    n = columns()
    if (form == "markdown")
        markdown()
    else
        html()
}
function cell_text(c, column, r) {
    if (!(c in state))
        return ""
    if (state[c] == "pass")
        return factor(r, column)
    return state[c] == "absent" ? "not run" : "**" state[c] "**"
}
function markdown(    i, j, g, c, k) {
    print about
    print ""
    if (revisions() != "")
        print revisions() "\n"
    print "| guest | engine | basic | medium | hard | brutal | qemu's time / Dragoman's |"
    print "|---|---|---|---|---|---|---|"
    for (j = 1; j <= n; j++) {
        line = "| " title(list[j]) " | " label[engine[j]] " |"
        for (g = 1; g <= 4; g++)
            line = line " " percent(list[j], grades[g]) " |"
        split(list[j], part, SUBSEP)
        print line " " (engine[j] == "auto" ? speed(part[1] SUBSEP part[2]) : "") " |"
    }
    print ""
    print "Factors are user + system time as multiples of native; a state in bold did not pass."
    print ""
    line = "| row | grade | does |"; rule = "|---|---|---|"
    for (j = 1; j <= n; j++) {
        line = line " " title(list[j]) " " label[engine[j]] " |"
        rule = rule "---:|"
    }
    print line; print rule
    for (g = 1; g <= 4; g++)
        for (i = 1; i <= nrows; i++) {
            if (grade[rows[i]] != grades[g])
                continue
            line = "| " rows[i] " | " grade[rows[i]] " | " what[rows[i]] " |"
            for (j = 1; j <= n; j++)
                line = line " " cell_text(rows[i] SUBSEP list[j], list[j], rows[i]) " |"
            print line
        }
    print ""
    print "What did not pass (cells that were not run: see the table):"
    print ""
    for (i = 1; i <= nrows; i++)
        for (j = 1; j <= n; j++) {
            c = rows[i] SUBSEP list[j]
            if ((c in state) && state[c] != "pass" && state[c] != "absent")
                print "* " rows[i] ", " title(list[j]) ", " label[engine[j]] ": " state[c] (reason[c] == "" ? "" : ", " reason[c])
        }
}
function html(    i, j, g, c, r, place, worst) {
    print "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    print "<title>Dragoman: compatibility matrix</title><style>"
    print ":root{color-scheme:light dark;--bg:#fff;--fg:#1c1e21;--dim:#626870;--line:#dfe2e6;--card:#f6f7f9;--pass:#dff3e3;--passf:#11602a;--fail:#fbdcdc;--failf:#98161b;--time:#fdeacc;--timef:#8a4b00;--skip:#e9ebee;--skipf:#565b62}"
    print "@media(prefers-color-scheme:dark){:root{--bg:#15171a;--fg:#e6e8ea;--dim:#9aa1a9;--line:#30343a;--card:#1e2125;--pass:#153a21;--passf:#9be0b0;--fail:#4a1a1d;--failf:#ffb3b3;--time:#47310f;--timef:#ffd493;--skip:#2a2e33;--skipf:#b1b7be}}"
    print "*{box-sizing:border-box}body{margin:0 auto;max-width:78rem;padding:1rem;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,sans-serif}"
    print "h1{font-size:1.4rem;margin:.2rem 0}p{margin:.3rem 0}.dim{color:var(--dim);font-size:.87rem}"
    print ".sums{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.6rem;margin:.8rem 0}.sum{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.5rem .7rem}.sum b{display:block}.sum table{font-size:.87rem;border-spacing:0}.sum td{padding:.05rem .8rem .05rem 0}"
    print ".filters{position:sticky;top:0;background:var(--bg);padding:.5rem 0;display:flex;flex-wrap:wrap;gap:.4rem;align-items:center;border-bottom:1px solid var(--line);z-index:1}"
    print "input,select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.35rem .5rem;min-width:0}input{flex:1 1 9rem}"
    print ".row{border-bottom:1px solid var(--line);padding:.5rem 0}.head{display:flex;flex-wrap:wrap;gap:.1rem .6rem;align-items:baseline}.head b{font-family:ui-monospace,monospace}"
    print ".tag{font-size:.75rem;border:1px solid var(--line);border-radius:1rem;padding:0 .5rem;color:var(--dim)}.places{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,34rem),1fr));gap:.2rem 1rem;margin-top:.3rem}"
    print ".cells{display:grid;grid-template-columns:4.4rem 1fr;gap:.25rem;align-items:center}.cells>span:first-child{font-size:.8rem;line-height:1.1;color:var(--dim)}.cells>div{display:flex;flex-wrap:wrap;gap:.25rem}"
    print ".c{border-radius:.35rem;padding:.08rem .45rem;font-size:.82rem;white-space:nowrap}.c i{font-style:normal;opacity:.75;margin-right:.3rem}"
    print ".pass{background:var(--pass);color:var(--passf)}.fail,.memory{background:var(--fail);color:var(--failf)}.timeout{background:var(--time);color:var(--timef)}.skip,.absent{background:var(--skip);color:var(--skipf)}"
    print "details{margin:.3rem 0 0}summary{cursor:pointer;font-size:.87rem}pre{overflow:auto;max-height:22rem;background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.5rem;font:12px/1.35 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}"
    print "@media(max-width:30rem){body{padding:.8rem}.sums{gap:.4rem}.sum tr{display:inline-block;margin-right:.6rem}.sum td{padding:0 .3rem 0 0}.cells{grid-template-columns:3.5rem 1fr}.cells>span:first-child,.c{font-size:.74rem}.c{padding:.08rem .35rem}.c i{margin-right:.2rem}}"
    print "</style></head><body><h1>Dragoman: compatibility matrix</h1>"
    print "<p>Programs of Debian that do things, each compared with its known output. A number is user + system time as a multiple of native; ✗ fail: a wrong or missing result, timeout and memory: over the row's limit; – skipped, with the reason.</p>"
    print "<p class=\"dim\">" escape(about (revisions() == "" ? "" : ". " revisions())) "</p><div class=\"sums\">"
    for (j = 1; j <= n; j++) {
        if (engine[j] == "native")
            continue
        split(list[j], part, SUBSEP)
        place = part[1] SUBSEP part[2]
        print "<div class=\"sum\"><b>" escape(title(list[j]) ", " label[engine[j]]) "</b><table>"
        for (g = 1; g <= 4; g++)
            if (percent(list[j], grades[g]) != "")
                print "<tr><td>" grades[g] "<td>" percent(list[j], grades[g])
        print "</table>" (engine[j] == "auto" && speed(place) != "" ? "<span class=\"dim\">qemu's time / Dragoman's: " speed(place) "</span>" : "") "</div>"
    }
    print "</div><div class=\"filters\"><input id=\"q\" type=\"search\" placeholder=\"name or word\" aria-label=\"name or word\"><select id=\"g\" aria-label=\"grade\"><option value=\"\">all grades"
    for (g = 1; g <= 4; g++)
        print "<option>" grades[g]
    print "</select><select id=\"s\" aria-label=\"state\"><option value=\"\">all results<option value=\"bad\">Dragoman fails<option value=\"behind\">only Dragoman fails<option value=\"ahead\">only qemu-user fails<option value=\"skip\">skipped or not run</select><span id=\"k\" class=\"dim\"></span></div>"
    for (g = 1; g <= 4; g++)
        for (i = 1; i <= nrows; i++)
            if (grade[rows[i]] == grades[g])
                html_row(rows[i])
    print "<script>const $=i=>document.getElementById(i),rows=[...document.querySelectorAll('.row')];function f(){const q=$('q').value.toLowerCase(),g=$('g').value,s=$('s').value;let n=0;for(const r of rows){const on=(!q||r.dataset.t.includes(q))&&(!g||r.dataset.g===g)&&(!s||r.dataset.s.split(' ').includes(s));r.hidden=!on;n+=on}$('k').textContent=n+' of '+rows.length+' rows'}for(const i of'qgs')$(i).oninput=f;f()</script></body></html>"
}
function html_row(r,    p, j, c, flags, q, d, logs, line) {
    flags = ""
    for (p = 1; p <= nplaces; p++) {
        q = r SUBSEP places[p] SUBSEP "qemu"
        for (j = 3; j <= nengines; j++) {
            d = r SUBSEP places[p] SUBSEP engines[j]
            if (!(d in state))
                continue
            if (state[d] == "skip" || state[d] == "absent")
                flags = flags " skip"
            else if (state[d] != "pass")
                flags = flags " bad" (is(q) == "pass" ? " behind" : "")
            else if ((q in state) && state[q] != "pass" && state[q] != "skip" && state[q] != "absent")
                flags = flags " ahead"
        }
    }
    print "<div class=\"row\" data-g=\"" grade[r] "\" data-s=\"" substr(flags, 2) "\" data-t=\"" escape(tolower(r " " what[r] " " group[r])) "\"><div class=\"head\"><b>" escape(r) "</b><span class=\"tag\">" grade[r] "</span><span>" escape(what[r]) "</span></div><div class=\"places\">"
    logs = ""
    for (p = 1; p <= nplaces; p++) {
        split(places[p], part, SUBSEP)
        line = ""
        for (j = 1; j <= nengines; j++) {
            c = r SUBSEP places[p] SUBSEP engines[j]
            if (!(c in state))
                continue
            line = line "<span class=\"c " state[c] "\"" (reason[c] == "" ? "" : " title=\"" escape(reason[c]) "\"") "><i>" label[engines[j]] "</i>" (state[c] == "pass" ? factor(r, places[p] SUBSEP engines[j]) : mark[state[c]] " " (state[c] == "absent" ? "not run" : state[c])) "</span>"
            if (state[c] != "pass" && state[c] != "absent")
                logs = logs html_log(c, title(places[p] SUBSEP "x") ", " label[engines[j]])
        }
        if (line != "")
            print "<div class=\"cells\"><span>" escape(title(places[p] SUBSEP "x")) "</span><div>" line "</div></div>"
    }
    print "</div>" logs "</div>"
}
function html_log(c, where,    text, l, lines) {
    text = ""
    lines = 0
    while ((getline l < log_file[c]) > 0 && lines++ < 120)
        text = text escape(l) "\n"
    close(log_file[c])
    return "<details><summary>" escape(where ": " state[c] (reason[c] == "" ? "" : ", " reason[c])) "</summary><pre>" text "</pre></details>"
}
