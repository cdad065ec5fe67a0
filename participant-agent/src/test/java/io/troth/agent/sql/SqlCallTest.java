package io.troth.agent.sql;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** Goal: a call that was given up ends, whatever its driver says to that. Method: a statement of this test. */
class SqlCallTest {

    /** Whoever gives the call up has to end it next. */
    @Test
    void aDriverThatThrowsAtTheCancelKeepsNobodyFromEndingTheCall() throws Exception {
        Statement statement = (Statement) Proxy.newProxyInstance(
                SqlCallTest.class.getClassLoader(), new Class<?>[] {Statement.class}, (self, method, arguments) -> {
                    throw new IllegalStateException("a bug in a driver");
                });
        SqlCall call = new SqlCall();
        call.runs(statement);
        assertDoesNotThrow(call::cancel);
        assertTrue(call.isCancelled());
        call.ended();
        assertEquals(
                "57014",
                assertThrows(SQLException.class, () -> call.runs(statement)).getSQLState());
    }
}
