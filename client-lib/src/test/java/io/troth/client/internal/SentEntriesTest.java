package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.TextFormat;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.proto.v1.ClientEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Goal: what is asked of the coordinator arrives whole. Method: the entries that leave, beside their text. */
class SentEntriesTest extends EngineByHand {

    private static final String OF =
            "tx { epoch: 5 nonce: 31 session: 1 sequence: 1 } key { high: 1 low: 2 } lowest_open: 1 ";
    private static final String BRANCHES = "branches { branch { instance: 1 counter: 1 } resource: 'left' calls: 1 }"
            + " branches { branch { instance: 1 counter: 2 } resource: 'right' calls: 1 } ";

    private void left(String entry) throws TextFormat.ParseException {
        ClientEntry expected = TextFormat.parse(entry, ClientEntry.class);
        assertEquals(expected, last().toBuilder().clearCorrelationId().build());
    }

    @ParameterizedTest
    @CsvSource({"true, false, WAIT_FOR_COMPLETED", "false, true, WAIT_FOR_DECIDED"})
    void commit(boolean onePhase, boolean decidedSuffices, String waitFor) throws Exception {
        OpenTransaction transaction = begin();
        advance(1_000);
        var unused = engine.commit(transaction, onePhase, decidedSuffices, false);
        left("commit { " + OF + "content { " + BRANCHES + (onePhase ? "one_phase_allowed: true" : "") + " } wait_for: "
                + waitFor + " remaining_millis: 59000 }");
    }

    @Test
    void rollback() throws Exception {
        var unused = engine.rollback(begin(), new Reason(ErrorCode.STATEMENT_FAILED, "why"));
        left("rollback { " + OF + BRANCHES + "reason { code: 'STATEMENT_FAILED' detail: 'why' } }");
    }
}
