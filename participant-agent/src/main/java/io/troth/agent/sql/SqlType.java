package io.troth.agent.sql;

import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The types that the gateway carries. Everything else is refused by name. */
public enum SqlType {
    BOOL,
    INT2,
    INT4,
    INT8,
    NUMERIC,
    FLOAT4,
    FLOAT8,
    TEXT,
    BYTEA,
    DATE,
    TIME,
    TIMETZ,
    TIMESTAMP,
    TIMESTAMPTZ,
    UUID,
    JSON,
    JSONB;

    /** How result descriptions name them; PostgreSQL's first, then those of the SQL standard. */
    private static final Map<String, SqlType> BY_NAME = Map.ofEntries(
            Map.entry("bool", BOOL),
            Map.entry("boolean", BOOL),
            Map.entry("int2", INT2),
            Map.entry("smallint", INT2),
            Map.entry("smallserial", INT2),
            Map.entry("int4", INT4),
            Map.entry("integer", INT4),
            Map.entry("serial", INT4),
            Map.entry("int8", INT8),
            Map.entry("bigint", INT8),
            Map.entry("bigserial", INT8),
            Map.entry("numeric", NUMERIC),
            Map.entry("decimal", NUMERIC),
            Map.entry("float4", FLOAT4),
            Map.entry("real", FLOAT4),
            Map.entry("float8", FLOAT8),
            Map.entry("double", FLOAT8),
            Map.entry("double precision", FLOAT8),
            Map.entry("text", TEXT),
            Map.entry("varchar", TEXT),
            Map.entry("bpchar", TEXT),
            Map.entry("char", TEXT),
            Map.entry("name", TEXT),
            Map.entry("bytea", BYTEA),
            Map.entry("date", DATE),
            Map.entry("time", TIME),
            Map.entry("timetz", TIMETZ),
            Map.entry("timestamp", TIMESTAMP),
            Map.entry("timestamptz", TIMESTAMPTZ),
            Map.entry("uuid", UUID),
            Map.entry("json", JSON),
            Map.entry("jsonb", JSONB));

    /** What PostgreSQL calls it. */
    String databaseName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The type of this name in a result's description; null when the gateway does not carry it. */
    static @Nullable SqlType named(String name) {
        return BY_NAME.get(name.toLowerCase(Locale.ROOT));
    }
}
