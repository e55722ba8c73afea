# javac and java: threads, the compilers, wrong paths of exceptions, NullPointerException by SIGSEGV, deep stacks, the collector
cat > T.java <<'J'
import java.util.*; import java.util.concurrent.*; import java.util.concurrent.atomic.*; import java.util.stream.*;
public class T {
    static class Node { int v; Node next; Node(int v) { this.v = v; } }
    interface Shape { double area(); }
    record Sq(double s) implements Shape { public double area() { return s * s; } }
    record Ci(double r) implements Shape { public double area() { return 3 * r * r; } }
    static int depth; static void deep() { depth++; deep(); }
    static int get(Node n) { return n.v; }
    static long mix(int n) { long h = 1; for (int i = 0; i < n; i++) { h = h * 6364136223846793005L + i; h ^= h >>> 29; } return h; }
    public static void main(String[] a) throws Exception {
        System.out.println(System.getProperty("os.arch").length() > 0 ? "up" : "");
        System.out.println(mix(2000000));
        int npe = 0; Node one = new Node(1); long s = 0;
        for (int i = 0; i < 60000; i++) try { s += get(i % 100 == 99 ? null : one); } catch (NullPointerException e) { npe++; }
        System.out.println(s + " " + npe);
        int div = 0, oob = 0, cce = 0; int[] arr = new int[10]; Object[] os = {1, "s"};
        for (int i = 0; i < 30000; i++) {
            try { s += i / (i % 50); } catch (ArithmeticException e) { div++; }
            try { arr[i % 11]++; } catch (ArrayIndexOutOfBoundsException e) { oob++; }
            try { s += (Integer) os[i % 2]; } catch (ClassCastException e) { cce++; }
        }
        System.out.println(s + " " + div + " " + oob + " " + cce + " " + Arrays.toString(arr));
        for (int i = 0; i < 2; i++) { depth = 0; try { deep(); } catch (StackOverflowError e) { System.out.println("overflow " + (depth > 1000)); } }
        ExecutorService ex = Executors.newFixedThreadPool(4); List<Future<Long>> fs = new ArrayList<>();
        for (int t = 0; t < 8; t++) { final int n = 100000 + t; fs.add(ex.submit(() -> mix(n))); }
        long x = 0; for (Future<Long> f : fs) x ^= f.get(); ex.shutdown(); System.out.println(x);
        AtomicLong c = new AtomicLong(); int[] locked = {0}; Thread[] ts = new Thread[4];
        for (int t = 0; t < 4; t++) (ts[t] = new Thread(() -> { for (int i = 0; i < 20000; i++) { c.incrementAndGet(); synchronized (locked) { locked[0]++; } } })).start();
        for (Thread t : ts) t.join(); System.out.println(c + " " + locked[0]);
        double area = 0; for (int i = 0; i < 50000; i++) { Shape p = i % 3 == 0 ? new Ci(i) : new Sq(i); area += p.area(); } System.out.println(area);
        Node head = null; for (int r = 0; r < 5; r++) { head = null; for (int i = 0; i < 50000; i++) { Node n = new Node(i); n.next = head; head = n; } System.gc(); }
        long total = 0; for (Node n = head; n != null; n = n.next) total += n.v; System.out.println(total);
        System.out.println(IntStream.range(0, 20000).filter(i -> i % 3 == 0).mapToObj(Integer::toString).collect(Collectors.joining()).hashCode());
        TreeMap<String, Integer> m = new TreeMap<>(); for (int i = 0; i < 20000; i++) m.merge("k" + i * 7919L % 101, i, Integer::sum); System.out.println(m.firstEntry() + " " + m.size());
        System.out.println(Math.sin(1) + " " + Math.pow(2, 0.5) + " " + Double.MIN_VALUE + " " + (int) Double.NaN + " " + (long) 1e300 + " " + 0.1f + " " + String.format("%.3f|%x", Math.E, 255));
        System.exit(3);
    }
}
J
jvm=$(uname -m); jvm=${jvm/aarch64/arm64}; jvm=/usr/lib/jvm/java-21-openjdk-${jvm/x86_64/amd64}/bin
$jvm/javac T.java; $jvm/java -Xmx256m -cp . T; echo "status $?"
