package io.troth.agent.sql;

import org.jspecify.annotations.Nullable;

/**
 * A typed value on its way to the database.
 *
 * @param type null only with a NULL whose type the database decides
 * @param array whether the value is a one-dimensional array of the type
 * @param value null for NULL; in the form that {@link SqlValues} describes
 */
public record SqlParameter(
        @Nullable SqlType type, boolean array, @Nullable Object value) {

    public SqlParameter {
        if (type == null && value != null) {
            throw new IllegalArgumentException("only NULL may come without a type");
        }
    }
}
