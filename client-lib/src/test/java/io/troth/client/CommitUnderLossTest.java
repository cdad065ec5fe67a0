package io.troth.client;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.client.SimulatedCoordinator.Reaction;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.ClientEntry.EntryCase;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Goal: whatever is lost between client and coordinator around a commit, the application hears the true outcome or that
 * it is not known (protocol 6.1, 9.1). Method: a simulated coordinator that loses streams, answers and itself.
 */
class CommitUnderLossTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private SimulatedCoordinator coordinator;
    private TrothClient client;

    @BeforeEach
    void start() throws IOException {
        coordinator = SimulatedCoordinator.started();
        client = TrothClient.connect(coordinator.endpoint());
    }

    @AfterEach
    void stop() {
        client.close();
        coordinator.close();
    }

    private GlobalTransaction beginWithBranches(String... resources) {
        return beginWithBranches(TransactionOptions.DEFAULTS, resources);
    }

    private GlobalTransaction beginWithBranches(TransactionOptions options, String... resources) {
        GlobalTransaction tx = client.begin(options);
        long counter = 0;
        for (String resource : resources) {
            CallScope.current().addBranch(new BranchId(0xA, ++counter), resource);
        }
        return tx;
    }

    @Test
    void commitsAndSaysSo() {
        GlobalTransaction tx = beginWithBranches("left", "right");
        CommitResult result = tx.commit();
        assertEquals(new CommitResult(tx.id(), Outcome.COMMITTED, false, null), result);
        assertEquals(1, coordinator.received(EntryCase.COMMIT).size());
    }

    /** Committed is what was decided; that a database has it otherwise is told beside it (protocol 10.6). */
    @Test
    void saysThatABranchWasSettledAgainstTheDecision() {
        CommitResult result =
                beginWithBranches("left", SimulatedCoordinator.MIXED).commit();
        assertEquals(Outcome.COMMITTED, result.outcome());
        assertEquals(Reason.of(ErrorCode.HEURISTIC_MIXED), result.heuristic());
    }

    /** Nothing has left: so it is certain, and a token would lack what the call has still to tell. */
    @Test
    void isRolledBackWhenInterruptedWhileItWaitsForACall() {
        GlobalTransaction tx = beginWithBranches("left");
        CallScope scope = CallScope.current();
        scope.enter();
        Thread.currentThread().interrupt();
        RolledBackException thrown = assertThrows(RolledBackException.class, tx::commit);
        assertTrue(Thread.interrupted());
        assertEquals(ErrorCode.ROLLED_BACK_BY_CLIENT, thrown.code());
        scope.exit();
        assertTrue(coordinator.received(EntryCase.COMMIT).isEmpty());
        assertTrue(scope.isClosed());
        assertThrows(TrothException.class, scope::enter);
    }

    /** A commit that had left would be UNKNOWN to a thread that may not wait for its answer. */
    @Test
    void isRolledBackWhenItsThreadIsInterruptedAlready() {
        GlobalTransaction tx = beginWithBranches("left", "right");
        Thread.currentThread().interrupt();
        RolledBackException thrown = assertThrows(RolledBackException.class, tx::commit);
        assertTrue(Thread.interrupted());
        assertEquals(ErrorCode.ROLLED_BACK_BY_CLIENT, thrown.code());
        assertTrue(thrown.getMessage().contains("interrupted"), thrown::toString);
        assertTrue(coordinator.received(EntryCase.COMMIT).isEmpty());
        await().atMost(PATIENCE)
                .until(() -> coordinator.received(EntryCase.ROLLBACK).size() == 1);
    }

    @Test
    void saysWhyItIsRolledBackAlsoToAThreadThatIsInterrupted() {
        GlobalTransaction tx = beginWithBranches("left", "right");
        CallScope.current().setRollbackOnly(Reason.of(ErrorCode.DEADLOCK));
        Thread.currentThread().interrupt();
        RolledBackException thrown = assertThrows(RolledBackException.class, tx::commit);
        assertTrue(Thread.interrupted());
        assertEquals(ErrorCode.DEADLOCK, thrown.code());
    }

    /** Nothing is sent for it, and nothing is waited for. */
    @Test
    void commitsNothingOnAThreadThatIsInterrupted() {
        GlobalTransaction tx = client.begin();
        Thread.currentThread().interrupt();
        CommitResult result = tx.commit();
        assertTrue(Thread.interrupted());
        assertEquals(Outcome.READ_ONLY, result.outcome());
    }

    /** Such a token was taken before the commit knew its branches. */
    @Test
    void guessesNothingFromATokenWithoutBranches() throws Exception {
        coordinator.plan(EntryCase.COMMIT, Reaction.DIE_BEFORE);
        GlobalTransaction tx = beginWithBranches("left", "right");
        CompletionStage<CommitResult> commit = tx.commitAsync();
        restartAfterDeath();
        assertThrows(RolledBackException.class, () -> outcomeOf(commit));
        assertEquals(Outcome.UNKNOWN, client.outcome(new OutcomeToken(tx.id(), List.of(), true)));
    }

    @Test
    void namesTheBranchThatCausedARollback() {
        GlobalTransaction tx = beginWithBranches("left", SimulatedCoordinator.REFUSING);
        RolledBackException thrown = assertThrows(RolledBackException.class, tx::commit);
        assertEquals(ErrorCode.SERIALIZATION_FAILURE, thrown.code());
        assertEquals(new BranchId(0xA, 2), thrown.branch().orElseThrow());
        assertEquals(SimulatedCoordinator.REFUSING, thrown.resource().orElseThrow());
        assertTrue(thrown.isRetryable());
    }

    /** Whoever rolls back in a catch block keeps the exception that says why. */
    @Test
    void rollsBackOnceMoreWhatTheCoordinatorHasRolledBack() {
        GlobalTransaction tx = beginWithBranches("left", SimulatedCoordinator.REFUSING);
        assertThrows(RolledBackException.class, tx::commit);
        tx.rollback();
        RolledBackException again = assertThrows(RolledBackException.class, tx::commit);
        assertEquals(ErrorCode.SERIALIZATION_FAILURE, again.code());
        assertTrue(coordinator.received(EntryCase.ROLLBACK).isEmpty());
    }

    @ParameterizedTest
    @EnumSource(
            value = Reaction.class,
            names = {"CUT_BEFORE", "CUT_AFTER"})
    void repeatsTheSameCommitWhenTheStreamBreaks(Reaction cut) {
        coordinator.plan(EntryCase.COMMIT, cut, cut);
        GlobalTransaction tx = beginWithBranches("left", "right");
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        var commits = coordinator.received(EntryCase.COMMIT);
        commits.forEach(entry -> assertEquals(
                commits.get(0).getCommit().getContent(), entry.getCommit().getContent()));
        assertEquals(1, coordinator.committedCount());
        assertEquals(2, coordinator.received(EntryCase.RESUME_SESSION).size());
        assertEquals(1, coordinator.received(EntryCase.OPEN_SESSION).size());
    }

    @Test
    void asksTheNextEpochAndHearsOfTheLoggedCommit() throws Exception {
        coordinator.plan(EntryCase.COMMIT, Reaction.DIE_AFTER);
        CompletionStage<CommitResult> commit =
                beginWithBranches("left", "right").commitAsync();
        restartAfterDeath();
        assertEquals(Outcome.COMMITTED, commit.toCompletableFuture().join().outcome());
        assertEquals(1, coordinator.received(EntryCase.COMMIT).size(), "a commit goes only to the leader of its epoch");
        assertFalse(coordinator.received(EntryCase.OUTCOME_INQUIRY).isEmpty());
    }

    @Test
    void hearsFromTheNextEpochThatNothingWasLogged() throws Exception {
        coordinator.plan(EntryCase.COMMIT, Reaction.DIE_BEFORE);
        CompletionStage<CommitResult> commit =
                beginWithBranches("left", "right").commitAsync();
        restartAfterDeath();
        RolledBackException thrown = assertThrows(RolledBackException.class, () -> outcomeOf(commit));
        assertEquals(ErrorCode.LEADER_CHANGED, thrown.code());
        assertTrue(thrown.isRetryable());
    }

    @Test
    void saysUnknownOfAOnePhaseCommitWhoseLeaderIsGone() throws Exception {
        coordinator.plan(EntryCase.COMMIT, Reaction.DIE_AFTER);
        CompletionStage<CommitResult> commit = beginWithBranches("left").commitAsync();
        restartAfterDeath();
        OutcomeUnknownException thrown = assertThrows(OutcomeUnknownException.class, () -> outcomeOf(commit));
        assertTrue(thrown.token().onePhaseAllowed());
        assertEquals(thrown.token(), OutcomeToken.parse(thrown.token().toString()));
    }

    /** Its sequence is nobody's any more, so that holding it would only keep others out. */
    @Test
    void anUnknownOutcomeOfAFormerEpochTakesNoPlace() throws Exception {
        client.close();
        client = TrothClient.builder()
                .endpoint(coordinator.endpoint())
                .openTransactionsMax(1)
                .build();
        coordinator.plan(EntryCase.COMMIT, Reaction.DIE_AFTER);
        CompletionStage<CommitResult> commit = beginWithBranches("left").commitAsync();
        restartAfterDeath();
        assertThrows(OutcomeUnknownException.class, () -> outcomeOf(commit));
        client.begin().close();
    }

    @Test
    void isCertainOfASingleBranchWhenOnePhaseIsNotAllowed() throws Exception {
        coordinator.plan(EntryCase.COMMIT, Reaction.DIE_AFTER);
        CompletionStage<CommitResult> commit = beginWithBranches(
                        TransactionOptions.DEFAULTS.withOnePhase(OnePhase.NEVER), "left")
                .commitAsync();
        restartAfterDeath();
        assertEquals(Outcome.COMMITTED, commit.toCompletableFuture().join().outcome());
    }

    @Test
    void givesUpWithATokenThatTellsTheTruthLater() throws Exception {
        client.close();
        client = TrothClient.builder()
                .endpoint(coordinator.endpoint())
                .outcomeTimeout(Duration.ofMillis(300))
                .build();
        coordinator.plan(EntryCase.COMMIT, Reaction.DIE_AFTER);
        GlobalTransaction tx = beginWithBranches("left", "right");
        OutcomeUnknownException thrown = assertThrows(OutcomeUnknownException.class, tx::commit);
        assertEquals(tx.id(), thrown.tx());
        assertEquals(1, thrown.getMessage().split("OUTCOME_UNKNOWN", -1).length - 1, thrown.getMessage());
        coordinator.kill();
        coordinator.start();
        await().atMost(PATIENCE).until(() -> client.outcome(thrown.token()) == Outcome.COMMITTED);
        await().atMost(PATIENCE).until(() -> client.outcome(tx.id()) == Outcome.COMMITTED);
        assertTrue(coordinator.received(EntryCase.ROLLBACK).isEmpty(), "no rollback ever follows a commit request");
    }

    @Test
    void neverSaysRolledBackFromAbsenceAlone() throws Exception {
        GlobalTransaction tx = beginWithBranches("left", "right");
        assertEquals(Outcome.PENDING, client.outcome(tx.id()), "its own open transaction is not asked for");
        coordinator.kill();
        coordinator.start();
        await().atMost(PATIENCE).until(() -> client.outcome(tx.id()) == Outcome.UNKNOWN);
        assertEquals(Outcome.ROLLED_BACK, client.outcome(tx.token()), "with the content it is certain");
        tx.close();
    }

    @Test
    void knowsWithoutAskingThatAnOpenTransactionDiedWithItsEpoch() throws Exception {
        GlobalTransaction tx = beginWithBranches("left", "right");
        coordinator.kill();
        coordinator.start();
        await().atMost(PATIENCE).until(tx::isRollbackOnly);
        RolledBackException thrown = assertThrows(RolledBackException.class, tx::commit);
        assertEquals(ErrorCode.LEADER_CHANGED, thrown.code());
        assertTrue(coordinator.received(EntryCase.COMMIT).isEmpty());
    }

    @Test
    void commitsInTheResumedSessionAfterTheStreamBroke() {
        GlobalTransaction tx = beginWithBranches("left", "right");
        coordinator.cutStreams();
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        assertEquals(1, coordinator.received(EntryCase.RESUME_SESSION).size());
    }

    @Test
    void knowsThatItsSessionEndedWhenItCannotBeResumed() {
        coordinator.keepSessions(false);
        GlobalTransaction tx = beginWithBranches("left", "right");
        coordinator.cutStreams();
        await().atMost(PATIENCE).until(tx::isRollbackOnly);
        RolledBackException thrown = assertThrows(RolledBackException.class, tx::commit);
        assertEquals(ErrorCode.SESSION_ENDED, thrown.code());
        assertEquals(
                Outcome.COMMITTED, beginWithBranches("left", "right").commit().outcome());
    }

    @Test
    void takesARefusedCommitForNothingCertainAndAsks() {
        coordinator.plan(EntryCase.COMMIT, Reaction.REFUSE);
        GlobalTransaction tx = beginWithBranches("left", "right");
        RolledBackException thrown = assertThrows(RolledBackException.class, tx::commit);
        assertEquals(ErrorCode.LIMIT_EXCEEDED, thrown.code(), "the first refusal is the reason");
        assertEquals(1, coordinator.received(EntryCase.OUTCOME_INQUIRY).size());
        assertTrue(coordinator.received(EntryCase.ROLLBACK).isEmpty());
    }

    @Test
    void goesToTheOtherEndpointWhenTheFirstDoesNotLead() throws Exception {
        try (SimulatedCoordinator other = new SimulatedCoordinator(0xC0FFEE).start()) {
            coordinator.plan(EntryCase.OPEN_SESSION, Reaction.NOT_LEADER, Reaction.NOT_LEADER, Reaction.NOT_LEADER);
            client.close();
            client = TrothClient.builder()
                    .endpoint(coordinator.endpoint())
                    .endpoint(other.endpoint())
                    .build();
            assertEquals(
                    Outcome.COMMITTED,
                    beginWithBranches("left", "right").commit().outcome());
            assertEquals(1, other.committedCount());
        }
    }

    @Test
    void speaksToNoOtherClusterThanItsFirst() throws Exception {
        GlobalTransaction tx = beginWithBranches("left", "right");
        coordinator.kill();
        tx.close();
        try (SimulatedCoordinator foreign = new SimulatedCoordinator(0xBAD).startInPlaceOf(coordinator)) {
            await().atMost(PATIENCE).until(() -> foreign.helloCount() > 0);
            client.close();
            assertTrue(foreign.received(EntryCase.OPEN_SESSION).isEmpty());
        }
    }

    @Test
    void speaksToNoLeaderOfAnOlderEpoch() throws Exception {
        coordinator.kill();
        coordinator.start();
        awaitEpoch(2);
        beginWithBranches("left", "right").commit();
        coordinator.kill();
        try (SimulatedCoordinator older = new SimulatedCoordinator(0xC0FFEE).startInPlaceOf(coordinator)) {
            await().atMost(PATIENCE).until(() -> older.helloCount() > 1);
            client.close();
            assertTrue(older.received(EntryCase.OPEN_SESSION).isEmpty());
        }
    }

    /** Until the client hears that its stream broke, transactions begin in the epoch of before. */
    private void awaitEpoch(long number) {
        await().atMost(PATIENCE).until(() -> {
            try (GlobalTransaction tx = client.begin()) {
                return tx.id().epoch().number() == number;
            }
        });
    }

    @Test
    void aForgottenOutcomeIsUnknownAndNeverARollback() {
        coordinator.plan(EntryCase.COMMIT, Reaction.SAY_FORGOTTEN);
        GlobalTransaction tx = beginWithBranches("left", "right");
        OutcomeUnknownException thrown = assertThrows(OutcomeUnknownException.class, tx::commit);
        assertEquals(ErrorCode.OUTCOME_FORGOTTEN, thrown.code());
        coordinator.plan(EntryCase.OUTCOME_INQUIRY, Reaction.SAY_FORGOTTEN);
        assertEquals(Outcome.FORGOTTEN, client.outcome(thrown.token()));
    }

    @ParameterizedTest
    @EnumSource(
            value = Reaction.class,
            names = {"SAY_UNKNOWN", "IGNORE"})
    void aCommitWithoutACertainOutcomeHoldsItsSequence(Reaction reaction) {
        client.close();
        client = TrothClient.builder()
                .endpoint(coordinator.endpoint())
                .outcomeTimeout(Duration.ofMillis(200))
                .build();
        coordinator.plan(EntryCase.COMMIT, reaction);
        assertThrows(OutcomeUnknownException.class, beginWithBranches("left", "right")::commit);
        // How this one ends does not matter: a slow machine may not hear it in time.
        var unused = beginWithBranches("left", "right").commitAsync();
        await().atMost(PATIENCE)
                .until(() -> coordinator.received(EntryCase.COMMIT).size() == 2);
        assertEquals(
                1, coordinator.received(EntryCase.COMMIT).get(1).getCommit().getLowestOpen(), "it may still be asked");
    }

    @Test
    void takesNoAnswerAboutAnotherTransaction() {
        coordinator.plan(EntryCase.COMMIT, Reaction.SAY_OF_ANOTHER);
        assertEquals(
                Outcome.COMMITTED, beginWithBranches("left", "right").commit().outcome());
    }

    @Test
    void repeatsACommitThatNobodyTookBecauseItWasSentToTheWrongOne() {
        coordinator.plan(EntryCase.COMMIT, Reaction.NOT_LEADER);
        assertEquals(
                Outcome.COMMITTED, beginWithBranches("left", "right").commit().outcome());
    }

    @Test
    void asksAgainWithItsTokenAsLongAsTheOutcomeIsPending() {
        GlobalTransaction tx = beginWithBranches("left", "right");
        tx.commit();
        coordinator.plan(EntryCase.OUTCOME_INQUIRY, Reaction.SAY_PENDING, Reaction.SAY_PENDING);
        assertEquals(Outcome.COMMITTED, client.outcome(tx.token()));
        assertEquals(3, coordinator.received(EntryCase.OUTCOME_INQUIRY).size());
    }

    @Test
    void saysPendingOfWhatIsStillPendingAfterAWhile() {
        GlobalTransaction tx = beginWithBranches("left", "right");
        tx.commit();
        client.close();
        client = TrothClient.builder()
                .endpoint(coordinator.endpoint())
                .outcomeTimeout(Duration.ofSeconds(1))
                .build();
        coordinator.plan(
                EntryCase.OUTCOME_INQUIRY,
                Collections.nCopies(1_000, Reaction.SAY_PENDING).toArray(Reaction[]::new));
        assertEquals(Outcome.PENDING, client.outcome(tx.token()));
    }

    @Test
    void aRefusedQuestionIsAnsweredByNothingCertain() {
        GlobalTransaction tx = beginWithBranches("left", "right");
        tx.commit();
        coordinator.plan(EntryCase.OUTCOME_INQUIRY, Reaction.REFUSE, Reaction.REFUSE);
        assertEquals(Outcome.UNKNOWN, client.outcome(tx.token()));
        assertEquals(Outcome.UNKNOWN, client.outcome(tx.id()));
    }

    private void restartAfterDeath() throws Exception {
        await().atMost(PATIENCE).until(() -> coordinator.streamCount() == 0);
        coordinator.kill();
        coordinator.start();
    }

    private static void outcomeOf(CompletionStage<CommitResult> commit) throws Throwable {
        try {
            commit.toCompletableFuture().join();
        } catch (CompletionException e) {
            throw e.getCause();
        }
    }

    @Test
    void countsWhatEachBranchDidOnce() {
        try (GlobalTransaction tx = client.begin()) {
            CallScope scope = CallScope.current();
            scope.addBranch(new BranchId(1, 1), "left");
            scope.addBranch(new BranchId(1, 1), "left");
            scope.addBranch(new BranchId(1, 2), "right");
            tx.commit();
        }
        var content = coordinator.received(EntryCase.COMMIT).get(0).getCommit().getContent();
        assertEquals(
                List.of(1, 1),
                content.getBranchesList().stream().map(work -> work.getCalls()).toList());
    }
}
