package io.troth.coordinator.log;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.end;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.heuristic;
import static io.troth.coordinator.log.Records.horizon;
import static io.troth.coordinator.log.Records.tx;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.engine.DecisionLog;
import io.troth.coordinator.engine.LeadershipLostException;
import io.troth.coordinator.engine.Recovered;
import io.troth.core.ClusterId;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.LongStream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What the protocol demands of any decision log (protocol 3, L1-L5, and 9.4), against the port alone. A log
 * implementation extends this, and says how it is opened, crashed and made to fail.
 */
public abstract class DecisionLogContract {

    protected static final ClusterId CLUSTER = new ClusterId(0x1234_5678_9abc_def0L);

    /** The process that has the log open at the moment. */
    protected DecisionLog log;

    protected RecordingListener heard = new RecordingListener();
    private final List<LogEntry> replayed = new ArrayList<>();
    /** The epochs that this test has led, in order. */
    private final List<Long> epochsLed = new ArrayList<>();

    /** Opens the log on the same disk as before, or a new one. */
    protected abstract DecisionLog open();

    /** Ends the process and, with {@code losesUnforced}, the machine: what no flush has covered is gone. */
    protected abstract void crash(boolean losesUnforced);

    /** Lets the log write everything that was appended, lazy records too. */
    protected abstract void settle();

    /** The next forced write reports an error; its records are on disk all the same, or are not. */
    protected abstract void failNextForcedWrite(boolean recordsSurvive);

    /** False for a log that has no lazy write: what it reports is safe from a loss of the machine. */
    protected boolean losesLazyRecords() {
        return true;
    }

    @AfterEach
    void closeLog() {
        if (log != null) {
            log.close();
        }
    }

    private static ConditionFactory eventually() {
        return await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2))
                .atMost(Duration.ofSeconds(60));
    }

    private Recovered recover() {
        log = open();
        replayed.clear();
        return log.recover(replayed::add);
    }

    /** Opens, recovers and leads the next epoch; returns when its EPOCH is applied. */
    private Recovered lead() {
        Recovered recovered = recover();
        epochsLed.add(recovered.nextEpoch());
        heard = new RecordingListener();
        log.start(recovered.nextEpoch(), heard);
        force(epoch(recovered.nextEpoch()));
        return recovered;
    }

    /** The number of the first, second, ... epoch that was led. */
    private long led(int leadership) {
        return epochsLed.get(leadership - 1);
    }

    private void force(LogRecord... records) {
        int before = heard.entries().size();
        for (LogRecord record : records) {
            log.append(record, true);
        }
        settle();
        awaitApplied(before, records[records.length - 1]);
    }

    private void lazily(LogRecord... records) {
        int before = heard.entries().size();
        for (LogRecord record : records) {
            log.append(record, false);
        }
        settle();
        awaitApplied(before, records[records.length - 1]);
    }

    private void awaitApplied(int before, LogRecord record) {
        eventually().until(() -> heard.records().lastIndexOf(record) >= before);
    }

    private List<LogRecord> replayedRecords() {
        return replayed.stream().map(LogEntry::record).toList();
    }

    private void restart() {
        log.close();
        recover();
    }

    @Test
    void startsEmptyWithTheClusterItWasMadeFor() {
        Recovered recovered = recover();
        assertEquals(new Recovered(0, recovered.nextEpoch(), 0), recovered);
        assertTrue(recovered.nextEpoch() > 0);
        assertEquals(List.of(), replayed);
    }

    @Test
    void appliesInAppendOrderWithoutGapsAsL1Demands() {
        lead();
        List<LogRecord> appended = new ArrayList<>();
        appended.add(epoch(led(1)));
        for (long sequence = 1; sequence <= 300; sequence++) {
            GlobalTxId tx = tx(led(1), 1, sequence);
            log.append(commit(tx), true);
            log.append(end(tx), false);
            appended.add(commit(tx));
            appended.add(end(tx));
        }
        settle();
        eventually().until(() -> heard.entries().size() >= appended.size());
        assertEquals(appended, heard.records());
    }

    @Test
    void putsTheEpochOfTheLeaderOnEveryEntryAsL2Demands() {
        lead();
        force(commit(tx(led(1), 1, 1)));
        restart();
        log.close();
        lead();
        force(commit(tx(led(2), 1, 1)));
        assertTrue(heard.entries().stream().allMatch(entry -> entry.epochNumber() == led(2)));
        restart();
        assertEquals(
                List.of(
                        new LogEntry(led(1), epoch(led(1))),
                        new LogEntry(led(2), epoch(led(2))),
                        new LogEntry(led(1), commit(tx(led(1), 1, 1))),
                        new LogEntry(led(2), commit(tx(led(2), 1, 1)))),
                replayed);
    }

    @Test
    void takesNothingBeforeTheEpochRecordAsL3Demands() {
        long own = recover().nextEpoch();
        assertThrows(IllegalStateException.class, () -> log.append(epoch(own), true));
        log.start(own, heard);
        assertThrows(IllegalArgumentException.class, () -> log.append(commit(tx(own, 1, 1)), true));
        assertThrows(IllegalArgumentException.class, () -> log.append(epoch(own + 1), true));
        log.append(epoch(own), true);
        assertThrows(IllegalArgumentException.class, () -> log.append(epoch(own), true));
    }

    @Test
    void refusesAnEpochThatIsNotHigherAsL3Demands() {
        lead();
        restart();
        assertThrows(IllegalArgumentException.class, () -> log.start(led(1), heard));
    }

    @Test
    void countsTheEpochsOfDistrustAsKnown() {
        lead();
        force(new LogRecord.Distrust(41));
        log.close();
        assertEquals(41, recover().highestEpoch());
        log.close();
        lead();
        assertTrue(led(2) > 41, "epoch " + led(2));
    }

    @Test
    void neverDeletesAnEpochRecord() {
        lead();
        log.close();
        lead();
        log.close();
        lead();
        force(horizon(led(2), 100));
        log.purge(horizon(led(2), 100));
        settle();
        restart();
        assertEquals(
                List.of(epoch(led(1)), epoch(led(2)), epoch(led(3))),
                replayedRecords().subList(0, 3));
    }

    @Test
    void refusesToTakeLazilyWhatMustBeForced() {
        lead();
        for (LogRecord record :
                List.of(commit(tx(led(1), 1, 1)), new LogRecord.Distrust(1), heuristic(tx(led(1), 1, 1)))) {
            assertThrows(IllegalArgumentException.class, () -> log.append(record, false));
        }
        assertEquals(1, heard.entries().size());
    }

    @Test
    void losesNothingForcedWhenTheMachineIsGone() {
        lead();
        force(commit(tx(led(1), 1, 1)), commit(tx(led(1), 1, 2)));
        long durable = heard.durableBatch();
        crash(true);
        Recovered recovered = recover();
        assertTrue(recovered.durableBatch() >= durable, recovered + " after batch " + durable);
        assertEquals(List.of(epoch(led(1)), commit(tx(led(1), 1, 1)), commit(tx(led(1), 1, 2))), replayedRecords());
    }

    @Test
    void mayLoseALazyEndWithTheMachineButNeverTheCommit() {
        lead();
        force(commit(tx(led(1), 1, 1)));
        lazily(end(tx(led(1), 1, 1)));
        crash(true);
        recover();
        assertEquals(commit(tx(led(1), 1, 1)), log.find(tx(led(1), 1, 1)));
        List<LogRecord> epochAlone = List.of(epoch(led(1)));
        assertEquals(
                losesLazyRecords() ? List.of(epoch(led(1)), commit(tx(led(1), 1, 1))) : epochAlone, replayedRecords());
    }

    @Test
    void keepsALazyEndWhenOnlyTheProcessIsGone() {
        lead();
        force(commit(tx(led(1), 1, 1)));
        lazily(end(tx(led(1), 1, 1)));
        crash(false);
        recover();
        assertEquals(List.of(epoch(led(1))), replayedRecords());
        assertEquals(commit(tx(led(1), 1, 1)), log.find(tx(led(1), 1, 1)));
    }

    @Test
    void makesALazyRecordDurableWithTheNextForcedOne() {
        lead();
        force(commit(tx(led(1), 1, 1)));
        log.append(end(tx(led(1), 1, 1)), false);
        force(commit(tx(led(1), 1, 2)));
        crash(true);
        recover();
        assertEquals(List.of(epoch(led(1)), commit(tx(led(1), 1, 2))), replayedRecords());
    }

    @Test
    void countsBatchesUpwardsOverRestarts() {
        lead();
        force(commit(tx(led(1), 1, 1)));
        long first = heard.durableBatch();
        log.close();
        assertEquals(first, recover().durableBatch());
        log.close();
        lead();
        assertTrue(heard.durableBatch() > first);
    }

    @Test
    void replaysInTheOrderThatTheCoreNeeds() {
        lead();
        force(commit(tx(led(1), 2, 1)), commit(tx(led(1), 1, 2)), commit(tx(led(1), 1, 1)));
        force(heuristic(tx(led(1), 1, 1)), new LogRecord.Distrust(1), horizon(led(1), 1));
        restart();
        assertEquals(
                List.of(
                        epoch(led(1)),
                        new LogRecord.Distrust(1),
                        horizon(led(1), 1),
                        heuristic(tx(led(1), 1, 1)),
                        commit(tx(led(1), 1, 1)),
                        commit(tx(led(1), 1, 2)),
                        commit(tx(led(1), 2, 1))),
                replayedRecords());
    }

    @Test
    void dropsACommitOfAnotherEpochAndReportsItWithItsEntryEpoch() {
        lead();
        log.close();
        lead();
        GlobalTxId lower = tx(led(1), 1, 1);
        GlobalTxId otherNonce = new GlobalTxId(0, new EpochId(led(2), 99), 1, 1);
        force(commit(lower), commit(otherNonce));
        assertEquals(new LogEntry(led(2), commit(lower)), heard.entries().get(1));
        assertNull(log.find(lower));
        assertNull(log.find(otherNonce));
        restart();
        assertEquals(List.of(epoch(led(1)), epoch(led(2))), replayedRecords());
    }

    @Test
    void findsACommitEndedOrNotAndNothingElse() {
        lead();
        force(commit(tx(led(1), 1, 1)), commit(tx(led(1), 1, 2)));
        lazily(end(tx(led(1), 1, 2)));
        assertEquals(commit(tx(led(1), 1, 1)), log.find(tx(led(1), 1, 1)));
        assertEquals(commit(tx(led(1), 1, 2)), log.find(tx(led(1), 1, 2)));
        assertNull(log.find(tx(led(1), 1, 3)));
        assertNull(log.find(tx(led(1) + 1, 1, 1)));
    }

    @Test
    void ignoresAnEndWithoutCommitAndASecondEnd() {
        lead();
        force(commit(tx(led(1), 1, 1)));
        lazily(end(tx(led(1), 1, 9)), end(tx(led(1), 1, 1)), end(tx(led(1), 1, 1)));
        restart();
        assertEquals(List.of(epoch(led(1))), replayedRecords());
        assertNull(log.find(tx(led(1), 1, 9)));
        assertEquals(commit(tx(led(1), 1, 1)), log.find(tx(led(1), 1, 1)));
    }

    /** More than a log remembers, and in batches and out of them. */
    @Test
    void endsACommitHoweverManyHaveComeSince() {
        lead();
        LogRecord[] commits = new LogRecord[5_000];
        Arrays.setAll(commits, i -> commit(tx(led(1), 1, i + 1)));
        force(commits);
        lazily(end(tx(led(1), 1, 1)), end(tx(led(1), 1, 5_000)));
        restart();
        assertEquals(1 + 4_998, replayed.size());
        assertEquals(commit(tx(led(1), 1, 2)), replayedRecords().get(1));
        assertEquals(commit(tx(led(1), 1, 1)), log.find(tx(led(1), 1, 1)));
        assertEquals(commit(tx(led(1), 1, 5_000)), log.find(tx(led(1), 1, 5_000)));
    }

    @Test
    void purgesEndedCommitsUpToTheHorizonAndNeverAnUnendedOne() {
        lead();
        force(commit(tx(led(1), 1, 1)), commit(tx(led(1), 1, 2)), commit(tx(led(1), 2, 1)), commit(tx(led(1), 3, 1)));
        force(heuristic(tx(led(1), 1, 1)), heuristic(tx(led(1), 1, 2)), heuristic(tx(led(1), 3, 1)));
        lazily(end(tx(led(1), 1, 2)), end(tx(led(1), 2, 1)), end(tx(led(1), 3, 1)));
        force(horizon(led(1), 2));
        log.purge(horizon(led(1), 2));
        settle();
        eventually().until(() -> log.find(tx(led(1), 1, 2)) == null);
        assertNull(log.find(tx(led(1), 2, 1)));
        assertEquals(commit(tx(led(1), 1, 1)), log.find(tx(led(1), 1, 1)));
        assertEquals(commit(tx(led(1), 3, 1)), log.find(tx(led(1), 3, 1)));
        restart();
        assertEquals(
                List.of(
                        epoch(led(1)),
                        horizon(led(1), 2),
                        heuristic(tx(led(1), 1, 1)),
                        heuristic(tx(led(1), 3, 1)),
                        commit(tx(led(1), 1, 1))),
                replayedRecords());
    }

    @Test
    void refusesAPurgeBeyondTheAppliedHorizonAlsoAfterARestart() {
        lead();
        assertThrows(IllegalArgumentException.class, () -> log.purge(horizon(led(1), 1)));
        force(horizon(led(1), 5));
        assertThrows(IllegalArgumentException.class, () -> log.purge(horizon(led(1), 6)));
        log.close();
        lead();
        assertThrows(IllegalArgumentException.class, () -> log.purge(horizon(led(1), 6)));
        log.purge(horizon(led(1), 5));
    }

    @Test
    void recoversACommitOfAnOlderSessionThatCameAfterAPurge() {
        lead();
        force(commit(tx(led(1), 1, 1)));
        lazily(end(tx(led(1), 1, 1)));
        force(horizon(led(1), 1));
        log.purge(horizon(led(1), 1));
        force(commit(tx(led(1), 2, 1)));
        restart();
        assertEquals(List.of(epoch(led(1)), horizon(led(1), 1), commit(tx(led(1), 2, 1))), replayedRecords());
    }

    @Test
    void reportsAFailedWriteOnceAndNothingAfterItAsL4AndL5Demand() {
        for (boolean survives : new boolean[] {true, false}) {
            lead();
            long own = epochsLed.get(epochsLed.size() - 1);
            failNextForcedWrite(survives);
            log.append(commit(tx(own, 1, 1)), true);
            settle();
            eventually().until(() -> heard.failure() != null);
            log.append(commit(tx(own, 1, 2)), true);
            log.append(end(tx(own, 1, 1)), false);
            settle();
            RuntimeException thrown = assertThrows(RuntimeException.class, () -> log.find(tx(own, 1, 1)));
            // As the listener heard: a failed log, or only a leadership that is over.
            assertEquals(heard.failure() instanceof LeadershipLostException, thrown instanceof LeadershipLostException);
            crash(false);
            recover();
            // Unknown, not failed: only the next process can tell.
            assertEquals(survives ? commit(tx(own, 1, 1)) : null, log.find(tx(own, 1, 1)));
            assertNull(log.find(tx(own, 1, 2)));
            assertEquals(1, heard.failures().size());
            assertEquals(List.of(epoch(own)), heard.records());
            log.close();
        }
    }

    @Test
    void refusesARecordThatIsTooLargeAndGoesOn() {
        lead();
        List<LogRecord.YesBranch> branches =
                Collections.nCopies(257, commit(tx(led(1), 1, 1)).branches().get(0));
        LogRecord tooMany = new LogRecord.Commit(tx(led(1), 1, 1), branches);
        LogRecord tooLong = new LogRecord.Heuristic(tx(led(1), 1, 1), null, Decision.COMMIT, "x".repeat(5_000));
        assertThrows(IllegalArgumentException.class, () -> log.append(tooMany, true));
        assertThrows(IllegalArgumentException.class, () -> log.append(tooLong, true));
        force(commit(tx(led(1), 1, 2)));
        assertEquals(List.of(epoch(led(1)), commit(tx(led(1), 1, 2))), heard.records());
    }

    @Test
    void ignoresAppendsAfterTheClose() {
        lead();
        force(commit(tx(led(1), 1, 1)));
        DecisionLog old = log;
        old.close();
        old.append(commit(tx(led(1), 1, 2)), true);
        old.close();
        recover();
        assertEquals(List.of(epoch(led(1)), commit(tx(led(1), 1, 1))), replayedRecords());
    }

    @Test
    void writesWhatWasHandedOverBeforeTheClose() {
        lead();
        for (long sequence : LongStream.rangeClosed(1, 100).toArray()) {
            log.append(commit(tx(led(1), 1, sequence)), true);
        }
        log.append(end(tx(led(1), 1, 1)), false);
        restart();
        assertEquals(1 + 99, replayed.size());
        assertEquals(102, heard.entries().size());
    }
}
