package io.troth.coordinator.log.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.core.ClusterId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.apache.ratis.thirdparty.io.grpc.Server;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyServerBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: a member founds a cluster with all that it is configured with or with nobody, and never beside one that there is.
 * Method: one new member, and others that say what the test wants each time they are asked.
 */
class FoundingTest {

    private static final MemberId OWN = new MemberId("a", 1);
    private static final MemberId SECOND = new MemberId("b", 2);
    private static final MemberId THIRD = new MemberId("c", 3);

    @TempDir
    Path temp;

    private final Map<String, String> addresses = new TreeMap<>();
    private final List<Server> servers = new ArrayList<>();
    private final AtomicInteger asked = new AtomicInteger();
    private final ClusterId cluster =
            Objects.requireNonNull(Logs.settings(Path.of("none"), 1).cluster());

    @AfterEach
    void close() throws Exception {
        for (Server server : servers) {
            server.shutdownNow().awaitTermination(60, TimeUnit.SECONDS);
        }
    }

    private void configured(String... nodes) {
        for (String node : nodes) {
            addresses.put(node, "127.0.0.1:" + FreePorts.next());
        }
    }

    /** Where this one should be, somebody says this when asked for the first time, the second, and so on. */
    private void answers(String node, IntFunction<Introduction> says) {
        int port = Integer.parseInt(addresses.get(node).replaceAll(".*:", ""));
        AtomicInteger times = new AtomicInteger();
        try {
            servers.add(NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                    .addService(Introductions.service(() -> {
                        asked.incrementAndGet();
                        return says.apply(times.incrementAndGet());
                    }))
                    .build()
                    .start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Introduction isNew(MemberId id) {
        return new Introduction(cluster, id, true, List.of());
    }

    private Introduction isIn(MemberId id, MemberId... members) {
        return new Introduction(cluster, id, false, List.of(members));
    }

    private List<MemberId> found() throws IOException {
        RaftSettings settings = new RaftSettings(
                Logs.settings(temp.resolve("a"), 1), "a", addresses, Map.of(), null, 2_000, 100_000, 2, 10_000);
        return new Founding(settings, OWN, null).run();
    }

    private LogRefusedException refused() {
        return assertThrows(LogRefusedException.class, this::found);
    }

    @Test
    void whoIsConfiguredAloneFoundsAlone() throws IOException {
        configured("a");
        assertEquals(List.of(OWN), found());
    }

    /** With those that are there two clusters could come of one, each with a majority. */
    @Test
    void waitsForAllThatAreConfigured() throws IOException {
        configured("a", "b", "c");
        answers("b", time -> {
            if (time == 2) {
                answers("c", first -> isNew(THIRD));
            }
            return isNew(SECOND);
        });
        assertEquals(List.of(OWN, SECOND, THIRD), found());
    }

    @Test
    void doesNotFoundWithAMemberThatHasPromisedSomethingAlready() throws IOException {
        configured("a", "b");
        answers("b", time -> time == 1 ? isIn(SECOND) : isNew(SECOND));
        assertEquals(List.of(OWN, SECOND), found());
        assertEquals(2, asked.get());
    }

    @Test
    void isAFounderWhenOneOfThemSaysSoThoughAnotherIsSilent() throws IOException {
        configured("a", "b", "c");
        answers("b", time -> isIn(SECOND, OWN, SECOND, THIRD));
        assertEquals(List.of(OWN, SECOND, THIRD), found());
    }

    @Test
    void waitsOutsideOfAClusterThatThereIs() throws IOException {
        configured("a", "b", "c");
        answers("b", time -> isIn(SECOND, SECOND));
        answers("c", time -> isNew(THIRD));
        assertEquals(List.of(), found());
    }

    @Test
    void doesNotStartBesideADiskThatHasItsName() {
        configured("a", "b");
        answers("b", time -> isIn(SECOND, SECOND, new MemberId("a", 9)));
        LogRefusedException refused = refused();
        assertEquals(LogRefusal.MEMBER_LOST, refused.refusal());
        assertTrue(refused.getMessage().contains("b knows a member a with another disk"), refused::getMessage);
    }

    @Test
    void doesNotStartWithTheMembersOfAnotherCluster() {
        configured("a", "b");
        ClusterId other = new ClusterId(cluster.value() + 1);
        answers("b", time -> new Introduction(other, SECOND, true, List.of()));
        LogRefusedException refused = refused();
        assertEquals(LogRefusal.FOREIGN_MEMBER, refused.refusal());
        assertTrue(
                refused.getMessage()
                        .contains("at " + addresses.get("b") + ", where b of cluster " + cluster
                                + " should be, is b of cluster " + other),
                refused::getMessage);
    }

    @Test
    void doesNotStartWithAMemberAtTheAddressOfAnother() {
        configured("a", "b");
        answers("b", time -> isNew(THIRD));
        assertEquals(LogRefusal.FOREIGN_MEMBER, refused().refusal());
    }

    @Test
    void saysThatItCannotListen() {
        configured("a", "b");
        answers("a", time -> isNew(OWN));
        assertThrows(BindException.class, this::found);
    }
}
