package io.troth.bench.naive;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.StringValue;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.troth.chaos.process.Lifeline;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.rocksdb.NativeLibraryLoader;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Statistics;
import org.rocksdb.TickerType;
import org.rocksdb.WriteOptions;

/**
 * The coordinator of the naive design: begin, enlist and commit are calls; commit asks all participants to prepare, at
 * the same time, writes the decision with one synchronous write, tells all participants, again at the same time, forgets
 * the decision without waiting for the disk, and answers. gRPC runs each call on its own pool of threads.
 */
public final class CoordinatorMain {

    /** What it prints when it serves, before its port. */
    static final String READY = "READY ";

    /** The line by which its parent asks how often it has forced its log; the answer begins with the same word. */
    static final String FORCES = "FORCES ";

    private final RocksDB log;
    private final WriteOptions forced = new WriteOptions().setSync(true);
    private final WriteOptions lazy = new WriteOptions();
    private final AtomicLong transactions = new AtomicLong();
    private final Map<String, List<String>> open = new ConcurrentHashMap<>();
    private final Map<String, ManagedChannel> channels = new ConcurrentHashMap<>();

    private CoordinatorMain(RocksDB log) {
        this.log = log;
    }

    /** Takes the directory of its log. Ends with its parent. */
    public static void main(String[] arguments) throws Exception {
        // Beside the log, and so gone with it: in the temporary directory each kill would leave 17 MB.
        NativeLibraryLoader.getInstance().loadLibrary(arguments[0]);
        RocksDB.loadLibrary();
        try (Statistics statistics = new Statistics();
                Options options = new Options().setCreateIfMissing(true).setStatistics(statistics)) {
            // RocksDB counts, not this: writers that wait together share one force.
            CoordinatorMain coordinator = new CoordinatorMain(RocksDB.open(options, arguments[0]));
            Lifeline.attach(line -> coordinator.say(FORCES + statistics.getTickerCount(TickerType.WAL_FILE_SYNCED)));
            Server server = coordinator.server();
            coordinator.say(READY + server.getPort());
            server.awaitTermination();
        }
    }

    private void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private Server server() throws IOException {
        return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(Calls.service(
                        "naive.Coordinator",
                        Map.of(
                                Calls.BEGIN, this::begin,
                                Calls.ENLIST, this::enlist,
                                Calls.COMMIT, this::commit)))
                .build()
                .start();
    }

    private String begin(String nothing) {
        String tx = "tx-" + transactions.incrementAndGet();
        open.put(tx, new CopyOnWriteArrayList<>());
        return tx;
    }

    private String enlist(String request) {
        String[] words = request.split(" ", 2);
        branches(words[0]).add(words[1]);
        return "";
    }

    private List<String> branches(String tx) {
        List<String> branches = open.get(tx);
        if (branches == null) {
            throw new IllegalStateException("there is no transaction " + tx);
        }
        return branches;
    }

    private String commit(String tx) {
        try {
            List<String> branches = branches(tx);
            all(Calls.PREPARE, branches, tx);
            log.put(forced, tx.getBytes(UTF_8), String.join(" ", branches).getBytes(UTF_8));
            all(Calls.COMMIT_BRANCH, branches, tx);
            log.delete(lazy, tx.getBytes(UTF_8));
            open.remove(tx);
            return "committed";
        } catch (RocksDBException | ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private void all(MethodDescriptor<StringValue, StringValue> method, List<String> branches, String tx)
            throws ExecutionException, InterruptedException {
        List<ListenableFuture<StringValue>> answers = new ArrayList<>(branches.size());
        for (String branch : branches) {
            answers.add(ClientCalls.futureUnaryCall(
                    channel(branch).newCall(method, CallOptions.DEFAULT), StringValue.of(tx)));
        }
        for (Future<StringValue> answer : answers) {
            if (!answer.get().getValue().equals("yes")) {
                throw new IllegalStateException("a participant said no");
            }
        }
    }

    private ManagedChannel channel(String target) {
        return channels.computeIfAbsent(
                target,
                same -> NettyChannelBuilder.forTarget(same).usePlaintext().build());
    }
}
