package io.troth.coordinator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.grpc.WireAgent;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.coordinator.server.CoordinatorServer;
import io.troth.coordinator.server.Http;
import io.troth.core.BranchList;
import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.BeginRequest;
import io.troth.proto.v1.BeginResponse;
import io.troth.proto.v1.CommitRequest;
import io.troth.proto.v1.CommitResponse;
import io.troth.proto.v1.GetOutcomeRequest;
import io.troth.proto.v1.Outcome;
import io.troth.proto.v1.TransactionServiceGrpc;
import io.troth.proto.v1.TransactionServiceGrpc.TransactionServiceBlockingStub;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: a coordinator on a cloned or a new log never speaks about what another log's leader began (test plan, pitfall 13;
 * protocol 9.1 and 10.5), and a log that is lost for good is replaced as docs/LOG.md says. Method: whole coordinators, and
 * agents on the wire.
 */
class OtherLogTest {

    /** The cluster of the agents on the wire. */
    private static final String CLUSTER = "0000000000c0ffee";

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    Path temp;

    private final List<ManagedChannel> channels = new ArrayList<>();

    @AfterEach
    void close() {
        channels.forEach(ManagedChannel::shutdownNow);
    }

    private static CoordinatorServer start(Path data) {
        return CoordinatorServer.start(CoordinatorConfig.onFreePorts(data, Map.of(ConfigKey.CLUSTER_ID, CLUSTER)));
    }

    private ManagedChannel channel(CoordinatorServer server) {
        ManagedChannel channel = NettyChannelBuilder.forAddress(
                        "localhost", server.grpcPort(), InsecureChannelCredentials.create())
                .build();
        channels.add(channel);
        return channel;
    }

    private static String admin(CoordinatorServer server, String... words) {
        List<String> line = new ArrayList<>(List.of("admin"));
        line.addAll(List.of(words));
        line.addAll(List.of("--endpoint", "localhost:" + server.grpcPort()));
        return run(line.toArray(String[]::new));
    }

    private static String run(String... line) {
        StringWriter out = new StringWriter();
        PrintWriter writer = new PrintWriter(out, true);
        assertEquals(ExitCode.OK, CoordinatorMain.run(writer, writer, line), out::toString);
        return out.toString();
    }

    /** A transaction of two branches that are prepared, and whose votes are still on their way. */
    private static final class Prepared {
        final List<WireAgent> agents;
        final List<BranchWork> works;
        final GlobalTxId tx;
        final Future<CommitResponse> answer;

        Prepared(ManagedChannel channel) {
            agents = List.of(new WireAgent(channel, 0xa, "accounts"), new WireAgent(channel, 0xb, "stock"));
            agents.forEach(WireAgent::hesitate);
            BeginResponse begun =
                    TransactionServiceGrpc.newBlockingStub(channel).begin(BeginRequest.getDefaultInstance());
            tx = GlobalTxId.parse(begun.getTx());
            works = agents.stream().map(agent -> agent.enlist(begun)).toList();
            answer = TransactionServiceGrpc.newFutureStub(channel).commit(commit(begun, works));
            Awaitility.await()
                    .atMost(LIMIT)
                    .until(() -> agents.stream()
                            .allMatch(agent -> agent.orders().stream().anyMatch(AgentOrder::hasPrepare)));
        }

        Outcome askedAt(TransactionServiceBlockingStub other) {
            return other.getOutcome(GetOutcomeRequest.newBuilder()
                            .setTx(tx.toString())
                            .addBranches(new BranchList(false, works).encode())
                            .build())
                    .getOutcome();
        }
    }

    private static CommitRequest commit(BeginResponse begun, List<BranchWork> works) {
        return CommitRequest.newBuilder()
                .setTx(begun.getTx())
                .setKey(begun.getKey())
                .addBranches(new BranchList(false, works).encode())
                .build();
    }

    /** Asks about a prepared branch, and waits until the coordinator has put it on its list. */
    private static void inquire(CoordinatorServer server, WireAgent agent, Prepared prepared, String held) {
        String branch = prepared.works.get(0).branch().toString();
        agent.inquire(prepared.tx, prepared.works.get(0).branch());
        Awaitility.await().atMost(LIMIT).untilAsserted(() -> {
            String listed = admin(server, "in-doubt");
            assertTrue(listed.contains(prepared.tx + "  " + branch), listed);
            assertTrue(listed.stripTrailing().endsWith("UNKNOWN  " + held), listed);
        });
        assertEquals(
                List.of(AgentOrder.OrderCase.WELCOME),
                agent.orders().stream().map(AgentOrder::getOrderCase).toList(),
                "nothing is said about the branch");
    }

    @Test
    void twoCoordinatorsOnCopiesOfOneLogLeadEpochsThatDiffer() throws Exception {
        Path data = temp.resolve("data");
        Path copy = temp.resolve("copy");
        start(data).close();
        Logs.copy(data, copy);
        try (CoordinatorServer original = start(data);
                CoordinatorServer clone = start(copy)) {
            assertTrue(original.readyLine().contains(" epoch=2 "), original.readyLine());
            assertTrue(clone.readyLine().contains(" epoch=2 "), clone.readyLine());
            Prepared prepared = new Prepared(channel(original));
            ManagedChannel toClone = channel(clone);
            TransactionServiceBlockingStub atClone = TransactionServiceGrpc.newBlockingStub(toClone);

            // The clone has no record, which would mean ROLLED_BACK of a transaction of its own.
            inquire(clone, new WireAgent(toClone, 0xc, "accounts"), prepared, "yes");
            assertNotEquals(Outcome.OUTCOME_ROLLED_BACK, prepared.askedAt(atClone));

            prepared.agents.forEach(WireAgent::vote);
            assertEquals(
                    Outcome.OUTCOME_COMMITTED,
                    prepared.answer.get(LIMIT.toSeconds(), TimeUnit.SECONDS).getOutcome());
            assertEquals(
                    Outcome.OUTCOME_COMMITTED,
                    prepared.askedAt(TransactionServiceGrpc.newBlockingStub(channels.get(0))));
            assertNotEquals(Outcome.OUTCOME_ROLLED_BACK, prepared.askedAt(atClone));

            // An agent that has heard the original's epoch ends the clone's service.
            WireAgent knows = new WireAgent(toClone, 0xd, "stock", prepared.tx.epoch());
            awaitDistrusted(clone, atClone);
            assertTrue(knows.orders().stream().noneMatch(AgentOrder::hasWelcome));
            assertEquals("200 ready", Http.get(original.httpPort(), "/readyz"));
        }
    }

    private static void awaitDistrusted(CoordinatorServer server, TransactionServiceBlockingStub facade) {
        Awaitility.await().atMost(LIMIT).untilAsserted(() -> {
            String ready = Http.get(server.httpPort(), "/readyz");
            assertTrue(ready.startsWith("503 ") && ready.contains("LOG_DISTRUSTED"), ready);
        });
        StatusRuntimeException refused =
                assertThrows(StatusRuntimeException.class, () -> facade.begin(BeginRequest.getDefaultInstance()));
        assertTrue(String.valueOf(refused.getMessage()).contains("LOG_DISTRUSTED"), refused.getMessage());
    }

    @Test
    void aLogThatIsLostForGoodIsReplacedByOneThatDistrustsEverythingBefore() throws Exception {
        Path lost = temp.resolve("lost");
        Path data = temp.resolve("data");
        start(lost).close();
        Prepared prepared;
        try (CoordinatorServer before = start(lost)) {
            prepared = new Prepared(channel(before));
        }
        EpochId heard = prepared.tx.epoch();

        // Without the command: the first agent that knows more is enough.
        try (CoordinatorServer careless = start(temp.resolve("careless"))) {
            ManagedChannel channel = channel(careless);
            WireAgent agent = new WireAgent(channel, 0xc, "accounts", heard);
            awaitDistrusted(careless, TransactionServiceGrpc.newBlockingStub(channel));
            assertTrue(agent.orders().stream().noneMatch(AgentOrder::hasWelcome));
        }

        Path file = configuration(data);
        String said = run("log", "restore", "-c", file.toString());
        assertTrue(said.contains("Epochs up to 1000000 are distrusted"), said);
        try (CoordinatorServer after = start(data)) {
            assertTrue(after.readyLine().contains(" epoch=1000001 "), after.readyLine());
            ManagedChannel channel = channel(after);
            TransactionServiceBlockingStub facade = TransactionServiceGrpc.newBlockingStub(channel);
            WireAgent accounts = new WireAgent(channel, 0xc, "accounts", heard);
            Awaitility.await().atMost(LIMIT).until(() -> !accounts.orders().isEmpty());
            inquire(after, accounts, prepared, "no");
            assertEquals(Outcome.OUTCOME_UNKNOWN, prepared.askedAt(facade));

            // New work runs, and what the operator says is carried out.
            WireAgent stock = new WireAgent(channel, 0xd, "stock", heard);
            BeginResponse begun = facade.begin(BeginRequest.getDefaultInstance());
            List<BranchWork> works = List.of(accounts.enlist(begun), stock.enlist(begun));
            assertEquals(
                    Outcome.OUTCOME_COMMITTED,
                    facade.commit(commit(begun, works)).getOutcome());
            String branch = prepared.works.get(0).branch().toString();
            admin(after, "resolve", prepared.tx.toString(), branch, "ROLLBACK", "--reason", "the log is lost");
            Awaitility.await()
                    .atMost(LIMIT)
                    .until(() -> accounts.orders().stream().anyMatch(AgentOrder::hasRollbackBranch));
        }
    }

    private Path configuration(Path data) throws IOException {
        return Files.writeString(
                temp.resolve("troth.conf"), "data.directory = " + data + "\ncluster.id = " + CLUSTER + "\n");
    }
}
