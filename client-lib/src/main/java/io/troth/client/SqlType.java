package io.troth.client;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The types of remote SQL, named as PostgreSQL names them, each with the Java class of its values.
 *
 * <p>A parameter may be given as a plain Java value where its class tells the type: {@code Boolean}, {@code Short},
 * {@code Integer}, {@code Long}, {@code BigDecimal} and {@code BigInteger}, {@code Float}, {@code Double},
 * {@code String}, {@code byte[]}, {@code LocalDate}, {@code LocalTime}, {@code OffsetTime}, {@code LocalDateTime},
 * {@code OffsetDateTime} and {@code Instant}, {@code UUID}, and arrays of these ({@code int[]}, {@code String[]}, ...)
 * as one-dimensional arrays. A plain {@code null} is a NULL whose type the database infers. For everything else, JSON
 * above all, say the type: {@code SqlType.JSONB.of("{}")}, {@code SqlType.INT4.ofNull()},
 * {@code SqlType.TEXT.ofArray(List.of("a", "b"))}.
 */
public enum SqlType {
    /** {@code Boolean} */
    BOOL,
    /** {@code Short} */
    INT2,
    /** {@code Integer} */
    INT4,
    /** {@code Long} */
    INT8,
    /** {@code BigDecimal}; NaN and the infinities only as {@code String} */
    NUMERIC,
    /** {@code Float} */
    FLOAT4,
    /** {@code Double} */
    FLOAT8,
    /** {@code String}; also of varchar and char columns */
    TEXT,
    /** {@code byte[]} */
    BYTEA,
    /** {@code LocalDate}; MIN and MAX are the infinities */
    DATE,
    /** {@code LocalTime} */
    TIME,
    /** {@code OffsetTime} */
    TIMETZ,
    /** {@code LocalDateTime}; MIN and MAX are the infinities */
    TIMESTAMP,
    /** {@code OffsetDateTime}; MIN and MAX are the infinities */
    TIMESTAMPTZ,
    /** {@code UUID} */
    UUID,
    /** {@code String} */
    JSON,
    /** {@code String} */
    JSONB;

    /** A parameter of this type. */
    public SqlParameter of(Object value) {
        return new SqlParameter(this, false, value);
    }

    /** NULL of this type. */
    public SqlParameter ofNull() {
        return new SqlParameter(this, false, null);
    }

    /** A one-dimensional array of this type; elements may be null. */
    public SqlParameter ofArray(List<? extends @Nullable Object> elements) {
        return new SqlParameter(this, true, elements);
    }
}
