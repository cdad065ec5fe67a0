package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.log.LogObserver;
import io.troth.coordinator.log.raft.FreePorts;
import io.troth.coordinator.log.raft.RaftMember;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: a member that cannot lead does not stay the leader. Method: one member, and an error while it begins to lead. */
class MemberServerTest {

    private static final long LIMIT_SECONDS = 30;

    @TempDir
    Path temp;

    @Test
    void anErrorWhileItBeginsToLeadStopsTheProcess() throws Exception {
        Map<ConfigKey<?>, String> keys = Map.of(
                ConfigKey.CLUSTER_ID,
                "0000000000c0ffee",
                ConfigKey.CLUSTER_NODE,
                "a",
                ConfigKey.CLUSTER_NODES,
                "a=127.0.0.1:" + FreePorts.next(),
                ConfigKey.CLUSTER_ENDPOINTS,
                "a=127.0.0.1:" + FreePorts.next());
        CoordinatorConfig config = CoordinatorConfig.onFreePorts(temp.resolve("data"), keys);
        RaftMember.create(Objects.requireNonNull(config.member()), ProcessEnvironment.log(LogObserver.NONE));
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
}
