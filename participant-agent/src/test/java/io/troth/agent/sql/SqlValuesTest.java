package io.troth.agent.sql;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.PostgresExtension;
import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Goal: a number that the database cannot hold never reaches the driver, which would write out all its zeros. */
class SqlValuesTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    /** Refuses every call: nothing may be set. */
    private final PreparedStatement untouched = (PreparedStatement) Proxy.newProxyInstance(
            SqlValuesTest.class.getClassLoader(),
            new Class<?>[] {PreparedStatement.class},
            (self, method, arguments) -> {
                throw new AssertionError(method.getName());
            });

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1e600000000",
                "1e-600000000",
                "-1e262144",
                "1e131072",
                "1e-16384",
                "0e-600000000",
                "0e600000000",
                "1e99999999999",
                "1.5e131072"
            })
    void refusesWhatNumericDoesNotHold(String digits) {
        refused(new SqlParameter(SqlType.NUMERIC, false, digits));
        refused(new SqlParameter(SqlType.NUMERIC, true, Arrays.asList("1", null, digits)));
    }

    @Test
    void refusesMoreDigitsThanThereCanBe() {
        refused(new SqlParameter(SqlType.NUMERIC, false, "1".repeat(2_000_000)));
    }

    private void refused(SqlParameter parameter) {
        TrothException refused = assertThrows(TrothException.class, () -> SqlValues.bind(untouched, 3, parameter));
        assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
        assertTrue(refused.getMessage().contains("parameter 3 is no NUMERIC"), refused::getMessage);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e131071", "-9.9e131071", "1e-16383", "0e-16383", "1e5"})
    void takesTheLargestAndTheSmallest(String digits) throws Exception {
        try (Connection connection = POSTGRES.server().dataSource().getConnection();
                PreparedStatement statement = connection.prepareStatement(
                        "SELECT ?::numeric = '" + digits + "', (?::numeric[])[1] = '" + digits + "'")) {
            SqlValues.bind(statement, 1, new SqlParameter(SqlType.NUMERIC, false, digits));
            SqlValues.bind(statement, 2, new SqlParameter(SqlType.NUMERIC, true, List.of(digits)));
            try (ResultSet row = statement.executeQuery()) {
                assertTrue(row.next());
                assertTrue(row.getBoolean(1));
                assertTrue(row.getBoolean(2));
            }
        }
    }
}
