package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.CoordinatorState;
import io.troth.proto.v1.EpochId;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Goal: who commits is answered also when the session is over before the commit could leave. Method: a leader that changes. */
class EndedSessionTest extends EngineByHand {

    @Test
    void aCommitThatWaitsForACallIsRolledBack() {
        OpenTransaction transaction = begin();
        transaction.scope().enter();
        CompletableFuture<Answer> answer = engine.commit(transaction, true, false, false);
        assertFalse(answer.isDone());
        engine.down();
        var unused = engine.up(CoordinatorState.newBuilder()
                .setClusterId(7)
                .setEpoch(EpochId.newBuilder().setNumber(6).setNonce(32))
                .build());
        Answer given = answer.getNow(null);
        assertEquals(Outcome.ROLLED_BACK, given.outcome());
        assertEquals(ErrorCode.LEADER_CHANGED, given.reason().code());
        transaction.scope().exit();
        assertEquals(List.of(), sent.stream().filter(ClientEntry::hasCommit).toList(), "nobody may commit it any more");
        assertEquals(given, answer.join());
    }

    /** A leader of an older build would answer ROLLED_BACK for what it has not heard of. */
    @Test
    void aLeaderThatKnowsOfNoCommitInPlaceDecidesEverything() {
        assertFalse(engine.begin(60_000).join().scope().mayStartInPlace());
    }
}
