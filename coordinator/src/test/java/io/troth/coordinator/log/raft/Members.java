package io.troth.coordinator.log.raft;

import io.troth.coordinator.engine.DecisionLog;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.coordinator.log.rocksdb.Logs;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.FileUtils;
import org.apache.ratis.util.ProtoUtils;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;

/**
 * Members of one replicated log in this JVM: each with a directory of its own and a port of the loopback.
 * They are elected by hand, and wait so long for their leader that a busy machine does not make anybody one by itself.
 */
final class Members implements AutoCloseable {

    /** A member that leads, with its log. */
    record Lead(String node, RaftDecisionLog log) {}

    /** What happens to an entry on its way from a leader to Raft. */
    interface Interference {
        CompletableFuture<Void> send(EntrySender raft, byte[] entry);
    }

    /** A JVM that stands still for less makes nobody else the leader; tests that wait for another one wait for this, too. */
    private static final int ELECTION_MILLIS = 5_000;

    /** As long as a test may take: a member that is to lead may have to be started first. */
    private static final long TRANSFER_MILLIS = 180_000;

    private static final int ENTRY_BYTES_MAX = 1024 * 1024;

    /** Whom nobody believes in. */
    static final String NOBODY = "nobody";

    /** Names, too, are nobody else's: they stand in the names of Ratis' threads. */
    private static final AtomicInteger COUNT = new AtomicInteger();

    final List<Throwable> failures = new CopyOnWriteArrayList<>();
    volatile Interference interference = EntrySender::send;

    /** The files of each member; null for plaintext. */
    Function<String, RaftSettings.@Nullable Tls> tls = node -> null;

    /** What a leader with nothing to say waits for; for members that start later. */
    long keepAliveMillis = 100;

    private final long snapshotEntries;
    private final int electionMillis;
    private final Map<String, String> addresses = new TreeMap<>();
    private final Map<String, RaftMember> running = new ConcurrentHashMap<>();
    private final List<Lead> leads = new CopyOnWriteArrayList<>();
    private final Map<String, String> leaders = new ConcurrentHashMap<>();
    private Path root;

    Members(Path root, int count, long snapshotEntries) {
        this(root, count, snapshotEntries, ELECTION_MILLIS);
    }

    Members(Path root, int count, long snapshotEntries, int electionMillis) {
        this.root = root;
        this.electionMillis = electionMillis;
        this.snapshotEntries = snapshotEntries;
        int instance = COUNT.incrementAndGet();
        for (int i = 0; i < count; i++) {
            addresses.put((char) ('a' + i) + "" + instance, "");
        }
        addresses.keySet().forEach(node -> addresses.put(node, "127.0.0.1:" + FreePorts.next()));
    }

    static ConditionFactory eventually() {
        return Awaitility.await()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(60));
    }

    List<String> nodes() {
        return List.copyOf(addresses.keySet());
    }

    /** All but this one. */
    List<String> others(String node) {
        return nodes().stream().filter(each -> !each.equals(node)).toList();
    }

    Path directory(String node) {
        return root.resolve(node);
    }

    /** The first file of a member's Raft log. */
    Path raftLog(String node) throws IOException {
        try (Stream<Path> files = Files.walk(directory(node).resolve(RaftFiles.DIRECTORY))) {
            return files.filter(file -> file.getFileName().toString().startsWith("log_"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** One more, which nobody knows yet. */
    String addNode() {
        String node = (char) ('a' + addresses.size())
                + addresses.keySet().iterator().next().substring(1);
        addresses.put(node, "127.0.0.1:" + FreePorts.next());
        return node;
    }

    String address(String node) {
        return addresses.get(node);
    }

    RaftMember member(String node) {
        return running.get(node);
    }

    /** The disks as they are now are those of the members that start next; lock files and messages aside. */
    void copyTo(Path other) throws IOException {
        while (!isCopied(other)) {
            FileUtils.deleteFully(other);
        }
        root = other;
    }

    /**
     * False when a file has come, grown, got another name or gone meanwhile: a list of a store's files beside others than
     * it names is no disk of any time.
     */
    private boolean isCopied(Path other) throws IOException {
        try {
            Map<Path, Long> before = sizes();
            Logs.copy(root, other);
            if (!sizes().equals(before)) {
                return false;
            }
            // Last, so that no store is ahead of its member's log.
            for (Path log : raftLogs(other)) {
                Files.delete(log);
            }
            for (Path log : raftLogs(root)) {
                Files.write(other.resolve(root.relativize(log)), atOneMoment(log));
            }
            return true;
        } catch (NoSuchFileException e) {
            return false;
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof NoSuchFileException) {
                return false;
            }
            throw e;
        }
    }

    /** Of all files but Raft's log, which grows all the time. */
    private Map<Path, Long> sizes() throws IOException {
        Map<Path, Long> sizes = new TreeMap<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (!file.getFileName().toString().startsWith("log_")) {
                    sizes.put(file, Files.size(file));
                }
            }
        }
        return sizes;
    }

    private static List<Path> raftLogs(Path members) throws IOException {
        try (Stream<Path> files = Files.walk(members)) {
            return files.filter(file -> file.getFileName().toString().startsWith("log_"))
                    .toList();
        }
    }

    /** A file that grows into its zeros, read twice without a change: else an entry could stand behind a gap. */
    private static byte[] atOneMoment(Path file) throws IOException {
        byte[] now = Files.readAllBytes(file);
        while (true) {
            int looked = Math.min(now.length, written(now) + ENTRY_BYTES_MAX);
            byte[] before = start(file, looked);
            byte[] after = start(file, looked);
            if (Arrays.equals(before, after) && (looked == now.length || after[looked - 1] == 0)) {
                return Arrays.copyOf(after, now.length);
            }
            now = Arrays.copyOf(after, now.length);
        }
    }

    private static byte[] start(Path file, int bytes) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(bytes);
        }
    }

    private static int written(byte[] file) {
        int end = file.length;
        while (end > 0 && file[end - 1] == 0) {
            end--;
        }
        return end;
    }

    void startAll() {
        atOnce(this::start);
        elect(NOBODY);
    }

    /** The member dies, and another one leads next. */
    void kill(String node) {
        stop(node);
        elect(node);
    }

    /**
     * Until somebody leads, and once more every second: members that start are candidates soon, and when all of them are
     * at once, nobody has a majority.
     */
    void elect(String gone) {
        AtomicInteger looks = new AtomicInteger();
        eventually().until(() -> {
            boolean leads = lead(any -> true) != null;
            if (!leads && looks.getAndIncrement() % 200 == 0) {
                if (running.keySet().stream().allMatch(this::hasGivenUp)) {
                    String again = running.keySet().iterator().next();
                    stop(again);
                    start(again);
                } else {
                    nominate(gone);
                }
            }
            return leads;
        });
    }

    /** After an election that nobody has won, Raft takes no nomination: the one of a leader is of the term of its entries. */
    private boolean hasGivenUp(String node) {
        DivisionInfo info = division(node).getInfo();
        return info.isFollower()
                && info.getLeaderId() == null
                && info.getCurrentTerm() > lastEntry(division(node)).getTerm();
    }

    /**
     * Lets the running member that has most of the log be a candidate at once, as if it had waited long enough. It
     * declines when it is one already, or believes in another leader than this one, which is gone; then nothing has
     * happened.
     */
    void nominate(String gone) {
        RaftServer.Division most = running.keySet().stream()
                .map(this::division)
                .max(Comparator.comparing(Members::lastEntry))
                .orElseThrow();
        RaftPeerId believed = most.getInfo().getLeaderId();
        boolean goes = believed != null && MemberId.nodeOf(believed).equals(gone);
        try {
            most.getRaftServer()
                    .startLeaderElection(StartLeaderElectionRequestProto.newBuilder()
                            .setServerRequest(RaftRpcRequestProto.newBuilder()
                                    .setRequestorId(goes ? believed.toByteString() : ByteString.copyFromUtf8(gone))
                                    .setReplyId(most.getId().toByteString())
                                    .setRaftGroupId(ProtoUtils.toRaftGroupIdProtoBuilder(
                                            most.getGroup().getGroupId())))
                            .setLeaderLastEntry(lastEntry(most).toProto())
                            .build());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The last entry in the log, durable or not; (0, 0) when there is none, as Raft wants to have it. */
    private static TermIndex lastEntry(RaftServer.Division member) {
        TermIndex last = member.getRaftLog().getLastEntryTermIndex();
        return last == null ? TermIndex.valueOf(0, 0) : last;
    }

    /** True when this member takes itself for the leader. */
    boolean isLeader(String node) {
        return division(node).getInfo().isLeader();
    }

    private RaftServer.Division division(String node) {
        DecisionStateMachine machine = member(node).machine();
        try {
            return machine.getServer().join().getDivision(machine.getGroupId());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    RaftSettings settings(String node) {
        return new RaftSettings(
                Logs.settings(directory(node), 1_024),
                node,
                addresses,
                Map.of(),
                tls.apply(node),
                electionMillis,
                snapshotEntries,
                2,
                keepAliveMillis);
    }

    /** Starts a member that does not run; makes it when its directory is empty. */
    void start(String node) {
        RaftSettings settings = settings(node);
        try {
            if (Incarnation.read(directory(node)) == null) {
                RaftMember.create(settings, Logs.environment());
            }
            running.put(
                    node,
                    RaftMember.open(settings, Logs.environment(), new Hears(node), this::interfering, TRANSFER_MILLIS));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The empty entries of a leader with nothing to say come at any time: no test means them. */
    private EntrySender interfering(EntrySender raft) {
        return entry -> isEmpty(ReplicatedEntry.decode(entry)) ? raft.send(entry) : interference.send(raft, entry);
    }

    private static boolean isEmpty(ReplicatedEntry entry) {
        return entry.records().isEmpty() && entry.purge() == null;
    }

    /** The same entry as the next version of this program writes it. */
    static byte[] later(byte[] entry) {
        byte[] later = entry.clone();
        later[0]++;
        CRC32C crc = new CRC32C();
        crc.update(later, 0, later.length - Integer.BYTES);
        ByteBuffer.wrap(later).putInt(later.length - Integer.BYTES, (int) crc.getValue());
        return later;
    }

    void stop(String node) {
        RaftMember member = running.remove(node);
        if (member != null) {
            CompletableFuture<Void> closed =
                    CompletableFuture.runAsync(member::close, task -> new Thread(task).start());
            eventually().until(() -> {
                hurry(node);
                return closed.isDone();
            });
            closed.join();
        }
    }

    /** When nothing is left to be applied, the thread that writes Raft's log has slept through the end for up to 1 s. */
    private static void hurry(String node) {
        Map<String, Thread> threads = new TreeMap<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith(node + ".")) {
                threads.put(thread.getName().replaceAll("^.*-", ""), thread);
            }
        }
        Thread writer = threads.get("SegmentedRaftLogWorker");
        if (writer != null && !threads.containsKey("StateMachineUpdater")) {
            writer.interrupt();
        }
    }

    void stopAll() {
        atOnce(this::stop);
    }

    private void atOnce(Consumer<String> action) {
        List<CompletableFuture<Void>> done = new ArrayList<>();
        for (String node : nodes()) {
            done.add(CompletableFuture.runAsync(() -> action.accept(node), task -> new Thread(task).start()));
        }
        done.forEach(CompletableFuture::join);
    }

    /** Waits until somebody leads. */
    Lead awaitLead() {
        return awaitLead(lead -> true);
    }

    Lead awaitLead(Predicate<Lead> wanted) {
        eventually().until(() -> lead(wanted) != null);
        return lead(wanted);
    }

    private @Nullable Lead lead(Predicate<Lead> wanted) {
        for (int i = leads.size() - 1; i >= 0; i--) {
            Lead lead = leads.get(i);
            if (!lead.log().isOver() && running.containsKey(lead.node()) && wanted.test(lead)) {
                return lead;
            }
        }
        return null;
    }

    /** Who leads as far as this member knows; empty when nobody does. */
    String leaderKnownTo(String node) {
        return leaders.getOrDefault(node, "");
    }

    @Override
    public void close() {
        stopAll();
    }

    private final class Hears implements LeadershipListener {
        private final String node;

        Hears(String node) {
            this.node = node;
        }

        @Override
        public void leads(DecisionLog log) {
            leads.add(new Lead(node, (RaftDecisionLog) log));
        }

        @Override
        public void leaderChanged(@Nullable String leader) {
            leaders.put(node, leader == null ? "" : leader);
        }

        @Override
        public void failed(Throwable cause) {
            failures.add(cause);
        }
    }
}
