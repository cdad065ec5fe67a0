package io.troth.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Goal: what an exception says is not lost on its way to another process. Method: Java's own serialization. */
class ExceptionsTest {

    private static final GlobalTxId TX = new GlobalTxId(0, new EpochId(3, 5), 7, 1);
    private static final BranchId BRANCH = new BranchId(1, 2);

    private static Object travelled(Object value) throws IOException, ClassNotFoundException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(value);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return in.readObject();
        }
    }

    @Test
    void anUnknownOutcomeKeepsItsToken() throws Exception {
        OutcomeToken token = new OutcomeToken(TX, List.of(new BranchWork(BRANCH, "left", 1)), true);
        OutcomeUnknownException sent = new OutcomeUnknownException(token, "", Reason.of(ErrorCode.OUTCOME_UNKNOWN));
        OutcomeUnknownException came = (OutcomeUnknownException) travelled(sent);
        assertEquals(sent.getMessage(), came.getMessage());
        assertEquals(token, came.token());
        assertEquals(ErrorCode.OUTCOME_UNKNOWN, came.code());
    }

    @Test
    void aRollbackKeepsItsReason() throws Exception {
        RolledBackException sent =
                new RolledBackException(TX, "transfer", new Reason(ErrorCode.DEADLOCK, "with another"), BRANCH, "left");
        RolledBackException came = (RolledBackException) travelled(sent);
        assertEquals(sent.getMessage(), came.getMessage());
        assertEquals(sent.reason(), came.reason());
        assertEquals(TX, came.tx());
        assertEquals(sent.branch(), came.branch());
        assertEquals(sent.resource(), came.resource());
    }
}
