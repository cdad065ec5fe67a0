package io.troth.client;

import java.util.List;

/**
 * What an update with generated keys did.
 *
 * @param count how many rows it touched
 * @param keys a row of the wanted columns for each row inserted
 */
public record SqlUpdate(long count, List<SqlRow> keys) {

    public SqlUpdate {
        keys = List.copyOf(keys);
    }
}
