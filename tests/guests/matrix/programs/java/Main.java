import java.net.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;

/** Threads, locks, a pool, null pointers and stack overflows by signal, garbage, a socket, and virtual threads. */
public class Main {
    static int depth;

    static int fall() { depth++; return fall() + 1; }

    static long work(int seed, int rounds) {
        long x = seed;
        for (int i = 0; i < rounds; i++) x = x * 6364136223846793005L + 1442695040888963407L ^ (x >>> 17);
        return x;
    }

    public static void main(String[] words) throws Exception {
        int scale = words.length > 0 ? 1 : 20;
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Long>> futures = new ArrayList<>();
        for (int i = 0; i < 8; i++) { int seed = i; futures.add(pool.submit(() -> work(seed, 100_000))); }
        long all = 0;
        for (Future<Long> future : futures) all ^= future.get();
        System.out.println("pool " + Long.toHexString(all));

        AtomicInteger atomic = new AtomicInteger();
        int[] plain = new int[1];
        Object lock = new Object();
        Thread[] threads = new Thread[6];
        for (int t = 0; t < threads.length; t++) {
            threads[t] = new Thread(() -> {
                for (int i = 0; i < 5_000 * scale; i++) { atomic.incrementAndGet(); synchronized (lock) { plain[0]++; } }
            });
            threads[t].start();
        }
        for (Thread thread : threads) thread.join();
        System.out.println("counted " + (atomic.get() == 30_000 * scale && plain[0] == 30_000 * scale));

        int caught = 0;
        String nothing = words.length > 99 ? "" : null;
        for (int i = 0; i < 2_000 * scale; i++) { try { caught += nothing.length(); } catch (NullPointerException e) { caught++; } }
        System.out.println("null " + (caught == 2_000 * scale));
        try { fall(); } catch (StackOverflowError e) { System.out.println("deep " + (depth > 1000)); }
        try { System.out.println(1 / (words.length / 100)); } catch (ArithmeticException e) { System.out.println(e.getMessage()); }

        Map<Integer, byte[]> kept = new HashMap<>();
        for (int i = 0; i < 5_000 * scale; i++) kept.put(i % 512, new byte[4096]);
        System.gc();
        System.out.println("garbage " + kept.size());

        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread echo = new Thread(() -> { try (Socket s = server.accept()) { s.getInputStream().transferTo(s.getOutputStream()); }
                                             catch (Exception e) { System.out.println(e); } });
            echo.start();
            try (Socket s = new Socket(InetAddress.getLoopbackAddress(), server.getLocalPort())) {
                s.getOutputStream().write("over the loopback".getBytes());
                s.shutdownOutput();
                System.out.println(new String(s.getInputStream().readAllBytes()));
            }
            echo.join();
        }
        try (ExecutorService light = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> sleepers = new ArrayList<>();
            for (int i = 0; i < 200; i++) { int n = i; sleepers.add(light.submit(() -> { Thread.sleep(5); return n; })); }
            int sum = 0;
            for (Future<Integer> sleeper : sleepers) sum += sleeper.get();
            System.out.println("virtual " + sum);
        }
        pool.shutdown();
        System.out.println("ended " + pool.awaitTermination(10, TimeUnit.SECONDS));
    }
}
