# javac, java: threads, collections, streams, exceptions, ProcessBuilder, sockets, jar, jshell
# grade=hard group=runtimes time=400 memory=3500
cat >T.java <<'J'
import java.util.*; import java.util.concurrent.*; import java.util.stream.*; import java.io.*; import java.net.*; import java.nio.file.*;
public class T {
    sealed interface Shape permits Circle, Square {} record Circle(double r) implements Shape {} record Square(double a) implements Shape {}
    static double area(Shape s) { return switch (s) { case Circle c -> Math.PI * c.r() * c.r(); case Square q -> q.a() * q.a(); }; }
    static int deep(int n) { return deep(n + 1) + 1; }
    public static void main(String[] a) throws Exception {
        System.out.println(IntStream.rangeClosed(1, 2000000).filter(i -> i % 3 == 0).mapToLong(i -> (long) i * i).sum()); System.out.printf("%.6f %s%n", area(new Circle(2)), area(new Square(3)));
        var ex = Executors.newFixedThreadPool(4); var m = new ConcurrentHashMap<Integer, Integer>(); var fs = new ArrayList<Future<?>>(); for (int t = 0; t < 8; t++) fs.add(ex.submit(() -> { for (int i = 0; i < 20000; i++) m.merge(i % 101, 1, Integer::sum); })); for (var f : fs) f.get(); ex.shutdown(); System.out.println(m.size() + " " + m.values().stream().mapToInt(x -> x).sum());
        try { deep(0); } catch (StackOverflowError e) { System.out.println("overflow"); } try { Object o = "s"; Integer i = (Integer) o; } catch (ClassCastException e) { System.out.println("cast"); } int[] z = null; try { z[0] = 1; } catch (NullPointerException e) { System.out.println("null"); }
        var p = new ProcessBuilder("sh", "-c", "read x; echo got $x; echo err >&2; exit 5").start(); try (var w = p.outputWriter()) { w.write("line\n"); } System.out.println(p.inputReader().readLine() + p.errorReader().readLine() + p.waitFor()); try { new ProcessBuilder("/nonexistent").start(); } catch (IOException e) { System.out.println(e.getMessage().replaceAll("Exec failed, ", "")); }
        System.out.println(new ProcessBuilder("pwd").directory(new File("/usr")).start().inputReader().readLine()); try (var s = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) { var t = Thread.ofVirtual().start(() -> { try (var c = s.accept()) { c.getOutputStream().write(("echo " + new BufferedReader(new InputStreamReader(c.getInputStream())).readLine() + "\n").getBytes()); } catch (IOException e) { } }); try (var c = new Socket(InetAddress.getLoopbackAddress(), s.getLocalPort())) { c.getOutputStream().write("hi\n".getBytes()); System.out.println(new BufferedReader(new InputStreamReader(c.getInputStream())).readLine()); } t.join(); }
        var l = new ArrayList<byte[]>(); for (int i = 0; i < 3000; i++) { l.add(new byte[20000]); if (l.size() > 200) l.clear(); } System.gc(); System.out.println(l.size()); Files.writeString(Path.of("f"), "x".repeat(100000)); System.out.println(Files.size(Path.of("f"))); System.out.println(Stream.of("b", "a", "c").sorted().collect(Collectors.joining(",")) + String.format("%e", 1e300 / 7) + (0.1f + 0.2f));
        BitSet b = new BitSet(); for (int i = 2; i < 300000; i++) b.set(i); for (int i = 2; i * i < 300000; i++) if (b.get(i)) for (int j = i * i; j < 300000; j += i) b.clear(j); System.out.println(b.cardinality());
    }
}
J
PATH=$PATH:$(ls -d /usr/lib/jvm/java-21-openjdk-*/bin | head -n 1)
javac T.java && java -Xmx256m T && jar cfe t.jar T *.class && java -Xmx256m -Xint -jar t.jar | md5sum; java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 T | md5sum; echo 'System.out.println(6 * 7)' | jshell --execution local -s - 2>/dev/null
