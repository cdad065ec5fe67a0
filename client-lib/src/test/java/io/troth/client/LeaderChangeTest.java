package io.troth.client;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import io.troth.proto.v1.ClientEntry.EntryCase;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Goal: a client finds the leader among several coordinators, and loses no more by a change of it than it must. */
class LeaderChangeTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int FOLLOWERS = 5;

    private final List<AutoCloseable> open = new ArrayList<>();
    private SimulatedCoordinator first;
    private SimulatedCoordinator second;

    @BeforeEach
    void start() throws IOException {
        first = opened(SimulatedCoordinator.started());
        second = opened(SimulatedCoordinator.started());
        second.kill();
        second.start();
        second.follow(first.endpoint());
    }

    @AfterEach
    void stop() throws Exception {
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
    }

    private <T extends AutoCloseable> T opened(T part) {
        open.add(part);
        return part;
    }

    private TrothClient client(String... endpoints) {
        TrothClientBuilder builder = TrothClient.builder();
        for (String endpoint : endpoints) {
            builder.endpoint(endpoint);
        }
        return opened(builder.build());
    }

    private TrothClient clientOfBoth() {
        return client(first.endpoint(), second.endpoint());
    }

    /** The leader is the one of the next epoch. */
    private void change() {
        second.follow(null);
        first.follow(second.endpoint());
    }

    @Test
    void goesStraightToTheLeaderThatIsNamed() throws IOException {
        List<SimulatedCoordinator> followers = new ArrayList<>(List.of(second));
        while (followers.size() < FOLLOWERS) {
            SimulatedCoordinator follower = opened(SimulatedCoordinator.started());
            follower.follow(first.endpoint());
            followers.add(follower);
        }
        List<String> endpoints = new ArrayList<>(List.of(first.endpoint()));
        followers.forEach(follower -> endpoints.add(follower.endpoint()));
        client(endpoints.toArray(String[]::new)).begin().close();
        int asked =
                followers.stream().mapToInt(SimulatedCoordinator::redirected).sum();
        assertTrue(asked <= 1, asked + " followers were asked");
    }

    @Test
    void goesNowhereElseThanToItsOwnEndpoints() throws IOException {
        SimulatedCoordinator stranger = opened(SimulatedCoordinator.started());
        second.follow(stranger.endpoint());
        clientOfBoth().begin().close();
        change();
        second.follow(stranger.endpoint());
        await().atMost(PATIENCE).until(() -> second.redirected() > 3);
        assertEquals(0, stranger.helloCount());
    }

    @Test
    void whatHasNotAskedForCommitIsRolledBackAndSafeToRunAgain() {
        TrothClient client = clientOfBoth();
        GlobalTransaction before = begin(client).join();
        change();
        await().atMost(PATIENCE).until(() -> before.isRollbackOnly());
        RolledBackException thrown = assertThrows(RolledBackException.class, before::commit);
        assertEquals(ErrorCode.LEADER_CHANGED, thrown.code());
        assertTrue(thrown.isRetryable());
        assertEquals(2, begin(client).join().id().epoch().number());
    }

    @Test
    void leavesALeaderThatStandsStillForTheNextOne() {
        TrothClient client = clientOfBoth();
        GlobalTransaction before = begin(client).join();
        first.standStill();
        second.follow(null);
        await().atMost(PATIENCE).until(before::isRollbackOnly);
        assertEquals(2, begin(client).join().id().epoch().number());
    }

    @Test
    void aStatementWaitsForTheNextLeaderToSayWhereItGoes() throws Exception {
        second.offerSql("localhost:1");
        TrothClient client = clientOfBoth();
        GlobalTransaction before = begin(client).join();
        first.kill();
        CompletableFuture<Long> statement =
                before.sql("accounts").updateAsync("DELETE FROM account").toCompletableFuture();
        second.follow(null);
        ExecutionException thrown =
                assertThrows(ExecutionException.class, () -> statement.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        assertEquals(ErrorCode.LEADER_CHANGED, ((TrothException) thrown.getCause()).code());
    }

    @Test
    void beginWaitsForTheNextLeaderWhileOneLeaves() throws Exception {
        TrothClient client = clientOfBoth();
        client.begin().close();
        firstLeaves(client);
        CompletableFuture<GlobalTransaction> waiting = begin(client);
        assertFalse(waiting.isDone());
        change();
        assertEquals(
                2,
                waiting.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).id().epoch().number());
    }

    /** Returns when the client has heard of it: begin waits. */
    private void firstLeaves(TrothClient client) {
        first.push(false, "DRAINING");
        await().atMost(PATIENCE).until(() -> {
            CompletableFuture<GlobalTransaction> begun = begin(client);
            try {
                begun.get(50, TimeUnit.MILLISECONDS).close();
                return false;
            } catch (TimeoutException e) {
                var unused = begun.thenAccept(GlobalTransaction::close);
                return true;
            }
        });
    }

    @Test
    void closesItsSessionAtALeaderThatLeavesWhenNothingIsOpenThereAnyMore() {
        TrothClient client = clientOfBoth();
        GlobalTransaction open = begin(client).join();
        firstLeaves(client);
        assertEquals(List.of(), first.received(EntryCase.CLOSE_SESSION));
        open.close();
        await().atMost(PATIENCE)
                .until(() -> first.received(EntryCase.CLOSE_SESSION).size() == 1);
        assertEquals(1, first.received(EntryCase.OPEN_SESSION).size());
    }

    private static CompletableFuture<GlobalTransaction> begin(TrothClient client) {
        return client.beginAsync(TransactionOptions.DEFAULTS).toCompletableFuture();
    }

    @Test
    void beginFailsWhileTheOnlyLeaderLeaves() {
        TrothClient client = client(first.endpoint());
        client.begin().close();
        first.push(false, "DRAINING");
        await().atMost(PATIENCE).until(() -> {
            try {
                client.begin().close();
                return false;
            } catch (TrothException e) {
                return e.code() == ErrorCode.DRAINING;
            }
        });
    }
}
