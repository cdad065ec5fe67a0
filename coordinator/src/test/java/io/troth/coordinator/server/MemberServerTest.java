package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.log.LogObserver;
import io.troth.coordinator.log.raft.FreePorts;
import io.troth.coordinator.log.raft.RaftMember;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: a member that cannot start says why, and one that cannot lead does not stay the leader. Method: one member. */
class MemberServerTest {

    private static final long LIMIT_SECONDS = 60;

    @TempDir
    Path temp;

    private CoordinatorConfig made(int port) throws IOException {
        Map<ConfigKey<?>, String> keys = Map.of(
                ConfigKey.CLUSTER_ID,
                "0000000000c0ffee",
                ConfigKey.CLUSTER_NODE,
                "a",
                ConfigKey.CLUSTER_NODES,
                "a=127.0.0.1:" + port,
                ConfigKey.CLUSTER_ENDPOINTS,
                "a=127.0.0.1:" + FreePorts.next());
        CoordinatorConfig config = CoordinatorConfig.onFreePorts(temp.resolve("data"), keys);
        RaftMember.create(Objects.requireNonNull(config.member()), ProcessEnvironment.log(LogObserver.NONE));
        return config;
    }

    private static String refused(CoordinatorConfig config) {
        return String.valueOf(assertThrows(
                        StartFailedException.class, () -> MemberServer.start(config, StepListener.NONE, line -> {}))
                .getMessage());
    }

    /** Ratis would end the process there and then, this one, too. */
    @Test
    void aPortForTheMembersThatIsTakenIsSaid() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
            String message = refused(made(taken.getLocalPort()));
            assertTrue(message.contains("cannot listen on 127.0.0.1:" + taken.getLocalPort()), message);
            assertTrue(message.contains("Address already in use. Stop whatever uses the port"), message);
        }
    }

    @Test
    void aDirectoryThatCannotBeReadIsNotTakenForAPort() throws Exception {
        CoordinatorConfig config = made(FreePorts.next());
        Path member = temp.resolve("data").resolve("MEMBER");
        Files.delete(member);
        Files.createDirectory(member);
        String message = refused(config);
        assertTrue(message.contains("Check the data directory " + temp.resolve("data")), message);
        assertFalse(message.contains("port"), message);
    }

    @Test
    void anErrorWhileItBeginsToLeadStopsTheProcess() throws Exception {
        CoordinatorConfig config = made(FreePorts.next());
        try (MemberServer server = MemberServer.start(config, StepListener.NONE, line -> {
            throw new AssertionError("no more of this");
        })) {
            Ending ending = CompletableFuture.supplyAsync(
                            server::awaitTermination, task -> new Thread(task, "awaits").start())
                    .get(LIMIT_SECONDS, TimeUnit.SECONDS);
            assertEquals(Ending.Cause.LOG_FAILED, ending.cause());
            assertTrue(ending.message().contains("no more of this"), ending::message);
            assertTrue(ending.message().contains("Start it again"), ending::message);
        }
    }

    /** Alone it may lead before its own door is open. */
    @Test
    void isReadyWhereItListens() throws Exception {
        CompletableFuture<String> said = new CompletableFuture<>();
        try (MemberServer server = MemberServer.start(made(FreePorts.next()), StepListener.NONE, said::complete)) {
            String ready = said.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            String where = server.startedLine().replaceAll(".* (grpc=[^ ]+) .*", "$1");
            assertTrue(ready.startsWith("READY " + where + " "), ready);
        }
    }

    /** Its leader would keep the lead, and every other member would think it well. */
    @Test
    void aDataDirectoryThatIsGoneStopsTheProcess() throws Exception {
        CompletableFuture<String> said = new CompletableFuture<>();
        try (MemberServer server = MemberServer.start(made(FreePorts.next()), StepListener.NONE, said::complete)) {
            String unused = said.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            Files.move(temp.resolve("data"), temp.resolve("away"));
            Ending ending = CompletableFuture.supplyAsync(
                            server::awaitTermination, task -> new Thread(task, "awaits").start())
                    .get(LIMIT_SECONDS, TimeUnit.SECONDS);
            assertEquals(Ending.Cause.LOG_FAILED, ending.cause());
            assertTrue(ending.message().contains("deleted, moved or unmounted"), ending::message);
            assertTrue(ending.message().contains(temp.resolve("data").toString()), ending::message);
        }
    }
}
