package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.UnknownFieldSet;
import io.troth.client.SqlRow;
import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import io.troth.proto.v1.SqlArray;
import io.troth.proto.v1.SqlColumn;
import io.troth.proto.v1.SqlParameter;
import io.troth.proto.v1.SqlType;
import io.troth.proto.v1.SqlValue;
import java.math.BigDecimal;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * Goal: no value of a newer peer is taken for NULL, which it looks like, and none is made larger than it is. Method: a kind
 * that nobody knows, and values at the edge.
 */
class SqlCodecTest {

    private static final SqlValue NEWER = SqlValue.newBuilder()
            .setUnknownFields(UnknownFieldSet.newBuilder()
                    .addField(
                            99, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                    .build())
            .build();

    private static final SqlValue NEWER_INSIDE = SqlValue.newBuilder()
            .setArrayValue(SqlArray.newBuilder().addElements(NEWER))
            .build();

    private static void assertRefused(Executable read) {
        assertEquals(
                ErrorCode.TYPE_NOT_SUPPORTED,
                assertThrows(TrothException.class, read).code());
    }

    @Test
    void takesNoColumnOfAnUnknownKindForNull() {
        SqlColumn.Builder text = SqlColumn.newBuilder().setType(SqlType.SQL_TYPE_TEXT);
        assertRefused(() -> SqlCodec.fromWire(text.build(), NEWER));
        assertRefused(() -> SqlCodec.fromWire(text.setArray(true).build(), NEWER_INSIDE));
    }

    /** Written out, a number of a few characters could have as many zeros as no memory holds. */
    @Test
    void writesNoZerosOfAnExponent() {
        String huge = "1E+100";
        List<Object> parameters = List.of(new BigDecimal(huge), new BigDecimal("12.50"));
        List<SqlValue> values = SqlCodec.parameters(parameters).stream()
                .map(SqlParameter::getValue)
                .toList();
        assertEquals(huge, values.get(0).getTextValue());
        assertEquals("12.50", values.get(1).getTextValue());
    }

    /** A double holds every int4 and not every int8. */
    @Test
    void readsAWholeNumberAsADoubleWhereNothingIsLost() {
        assertEquals(7.0, wholeNumber(SqlType.SQL_TYPE_INT4, 7).getDouble("n"));
        assertEquals(-3.0, wholeNumber(SqlType.SQL_TYPE_INT2, -3).get(1, Double.class));
        assertEquals(0x1p53, wholeNumber(SqlType.SQL_TYPE_INT8, 1L << 53).getDouble("n"));
        SqlRow lossy = wholeNumber(SqlType.SQL_TYPE_INT8, (1L << 53) + 1);
        assertThrows(IllegalArgumentException.class, () -> lossy.getDouble("n"));
        SqlRow largest = wholeNumber(SqlType.SQL_TYPE_INT8, Long.MAX_VALUE);
        assertThrows(IllegalArgumentException.class, () -> largest.getDouble("n"));
    }

    private static SqlRow wholeNumber(SqlType type, long value) {
        return new RemoteRow(
                List.of(SqlColumn.newBuilder().setName("n").setType(type).build()),
                io.troth.proto.v1.SqlRow.newBuilder()
                        .addValues(SqlValue.newBuilder().setIntValue(value))
                        .build());
    }
}
