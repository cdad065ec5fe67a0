package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.TrothAgent;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.cluster.CoordinatorChild;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.db.PreparedTransaction;
import io.troth.chaos.process.Ports;
import io.troth.client.GlobalTransaction;
import io.troth.coordinator.grpc.AdminClient;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.XidCodec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Goal: nobody is taken for somebody else, and nobody touches what is not his. Method: the same database under two
 * names, the same resource at two agents, a second process on the same data, a cloned disk, and strangers' prepared
 * transactions in the database.
 */
class IdentityTest {

    private static final long ANSWER_SECONDS = 90;
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration MOMENT = Duration.ofMillis(1_500);

    private static Stack stack;

    @BeforeAll
    static void start() throws Exception {
        stack = Stack.start("Identity");
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    /** Pitfall 12. */
    @Test
    void keepsBranchesOfOneDatabaseUnderTwoNamesApart() throws Exception {
        try (TrothAgent agent = TrothAgent.builder()
                .coordinator(stack.address())
                .resource("one-name", stack.banks().dataSource(Banks.A))
                .resource("other-name", stack.banks().dataSource(Banks.A))
                .start()) {
            assertTrue(agent.awaitReady(LIMIT));
            Transfer first = Banks.transfer();
            Transfer second = Banks.transfer();
            GlobalTransaction tx = stack.client().begin();
            apply(agent, "one-name", first);
            apply(agent, "other-name", second);
            assertEquals(Outcome.COMMITTED, tx.commit().outcome());
            assertTrue(stack.banks().has(Banks.A, first));
            assertTrue(stack.banks().has(Banks.A, second));

            Transfer third = Banks.transfer();
            GlobalTransaction given = stack.client().begin();
            apply(agent, "one-name", third);
            apply(agent, "other-name", Banks.transfer());
            given.rollback();
            assertFalse(stack.banks().has(Banks.A, third));
        }
    }

    /** Pitfall 12. */
    @Test
    void keepsBranchesOfOneResourceAtTwoServicesApart() throws Exception {
        try (TrothAgent other = TrothAgent.builder()
                .coordinator(stack.address())
                .resource(Banks.A, stack.banks().dataSource(Banks.A))
                .start()) {
            assertTrue(other.awaitReady(LIMIT));
            Transfer first = Banks.transfer();
            Transfer second = Banks.transfer();
            GlobalTransaction tx = stack.client().begin();
            apply(stack.agent(Banks.A), Banks.A, first);
            apply(other, Banks.A, second);
            assertEquals(Outcome.COMMITTED, tx.commit().outcome());
            assertTrue(stack.banks().has(Banks.A, first));
            assertTrue(stack.banks().has(Banks.A, second));
        }
    }

    /** Pitfall 13: two coordinators on one directory. */
    @Test
    void refusesASecondCoordinatorOnTheSameData() throws Exception {
        TrothProcess second = startCoordinator("second", stack.data(), Ports.free(new Random()));
        assertNotEquals(0, second.child().awaitExit(LIMIT));
        stack.client().inTransaction(tx -> stack.work(Banks.transfer()));
    }

    /** Pitfall 13: the same resource name for another database. */
    @Test
    void refusesAnAgentWithTheSameResourceNameForAnotherDatabase() throws Exception {
        try (TrothAgent wrong = TrothAgent.builder()
                .coordinator(stack.address())
                .resource(Banks.A, stack.banks().dataSource(Banks.B))
                .start()) {
            assertFalse(wrong.awaitReady(MOMENT));
            stack.client().inTransaction(tx -> stack.work(Banks.transfer()));
        }
    }

    /** Pitfall 13: a coordinator on a cloned disk. It knows older epochs only, and what is not in its log is not its. */
    @Test
    void leavesTheOriginalsBranchesAloneOnAClonedDisk() throws Exception {
        stack.client().inTransaction(tx -> stack.work(Banks.transfer()));
        stack.coordinator().kill();
        Path clone = stack.data().resolveSibling("clone");
        copy(stack.data(), clone);
        stack.coordinator().restart();
        stack.awaitReady();

        Transfer transfer = Banks.transfer();
        GlobalTransaction tx = stack.client().begin();
        stack.work(transfer);
        stack.coordinator().arm("AFTER_COMMIT_DURABLE", 1);
        CompletableFuture<Outcome> answer = Answers.of(tx.commitAsync());
        stack.coordinator().awaitReached("AFTER_COMMIT_DURABLE");

        int port = Ports.free(new Random());
        TrothProcess cloned = startCoordinator("clone", clone, port).awaitReady();
        try (TrothAgent misled = TrothAgent.builder()
                .coordinator("localhost:" + port)
                .resource(Banks.A, stack.banks().dataSource(Banks.A))
                .start()) {
            assertTrue(misled.awaitReady(LIMIT), "else nobody would be misled");
            Awaitility.await("nobody finishes what is the original's")
                    .during(MOMENT)
                    .atMost(LIMIT)
                    .until(() -> stack.banks().prepared(Banks.A).size() == 1);
        }
        cloned.kill();
        stack.coordinator().release();
        assertEquals(Outcome.COMMITTED, answer.get(ANSWER_SECONDS, TimeUnit.SECONDS));
        stack.banks().awaitNothingPrepared();
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer));
    }

    /** Pitfall 14: another transaction manager's, and another cluster's. */
    @Test
    void touchesNoStrangersBranches() throws Exception {
        GlobalTxId tx = new GlobalTxId(0, new EpochId(1, 0x77), 1, 1);
        String otherCluster = XidCodec.FORMAT_ID + "_"
                + Base64.getEncoder().encodeToString(XidCodec.gtrid(new ClusterId(0x5eed), tx)) + "_"
                + Base64.getEncoder().encodeToString(XidCodec.bqual(new BranchId(1, 1)));
        List<String> strangers = List.of("131077_c29tZWJvZHk=_ZWxzZQ==", "not an xid at all", otherCluster);
        int account = 0;
        for (String gid : strangers) {
            account--;
            stack.banks().server(Banks.A).execute(stack.banks().database(), new String[] {
                "BEGIN", "INSERT INTO account VALUES (" + account + ", 0)", "PREPARE TRANSACTION '" + gid + "'"
            });
        }
        stack.client().inTransaction(own -> stack.work(Banks.transfer()));
        stack.coordinator().kill();
        stack.coordinator().restart();
        stack.awaitReady();
        try (TrothAgent fresh = TrothAgent.builder()
                .coordinator(stack.address())
                .resource(Banks.A, stack.banks().dataSource(Banks.A))
                .start()) {
            assertTrue(fresh.awaitReady(LIMIT));
            stack.client().inTransaction(own -> stack.work(Banks.transfer()));
        }
        assertEquals(
                List.copyOf(new java.util.TreeSet<>(strangers)),
                stack.banks().prepared(Banks.A).stream()
                        .map(PreparedTransaction::gid)
                        .sorted()
                        .toList());
        for (String gid : strangers) {
            stack.banks()
                    .server(Banks.A)
                    .execute(stack.banks().database(), new String[] {"ROLLBACK PREPARED '" + gid + "'"});
        }
    }

    /** A gid of this cluster that its log can not have led to: on hold, until an operator has decided it (protocol 10.5, 10.6). */
    @Test
    void anOperatorEndsAForgedBranch() throws Exception {
        try (AdminClient admin = new AdminClient(stack.address(), null, LIMIT.toMillis())) {
            EpochId epoch = Objects.requireNonNull(admin.status().leader().epoch());
            GlobalTxId tx = new GlobalTxId(0, new EpochId(epoch.number(), epoch.nonce() + 1), 1, 1);
            BranchId branch = new BranchId(0xf0, 1);
            String gid = XidCodec.FORMAT_ID + "_"
                    + Base64.getEncoder()
                            .encodeToString(XidCodec.gtrid(admin.status().cluster(), tx)) + "_"
                    + Base64.getEncoder().encodeToString(XidCodec.bqual(branch));
            stack.banks().server(Banks.A).execute(stack.banks().database(), new String[] {
                "BEGIN", "INSERT INTO account VALUES (-99, 0)", "PREPARE TRANSACTION '" + gid + "'"
            });
            try (TrothAgent fresh = TrothAgent.builder()
                    .coordinator(stack.address())
                    .resource(Banks.A, stack.banks().dataSource(Banks.A))
                    .start()) {
                assertTrue(fresh.awaitReady(LIMIT));
                Awaitility.await("the leader puts the resource on hold")
                        .atMost(LIMIT)
                        .until(() -> admin.status().leader().held().contains(Banks.A));
                assertEquals(1, stack.banks().prepared(Banks.A).size());
                admin.resolve(tx, branch, Decision.ROLLBACK, "forged");
                stack.banks().awaitNothingPrepared();
            }
            assertTrue(admin.hold(Banks.A, false, "the forged branch is gone"));
            stack.client().inTransaction(own -> stack.work(Banks.transfer()));
        }
    }

    private static TrothProcess startCoordinator(String name, Path data, int port) {
        return new TrothProcess(
                stack.children(),
                name,
                CoordinatorChild.class,
                CoordinatorChild.arguments(data, port, Ports.free(new Random())));
    }

    private static void apply(TrothAgent agent, String resource, Transfer transfer) throws Exception {
        try (Connection connection = agent.dataSource(resource).getConnection()) {
            Banks.apply(connection, transfer, Banks.A);
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : paths.toList()) {
                Files.copy(path, to.resolve(from.relativize(path)));
            }
        }
    }
}
