package io.troth.client;

import org.jspecify.annotations.Nullable;

/**
 * A parameter that says its type; made by {@link SqlType}.
 *
 * @param array whether the value is a {@code List} of values of the type
 * @param value of the type's class, or one that converts without loss; null for NULL
 */
public record SqlParameter(
        SqlType type, boolean array, @Nullable Object value) {

    /** Without the value. */
    @Override
    public String toString() {
        return "SqlParameter[" + type + (array ? "[]" : "") + "]";
    }
}
