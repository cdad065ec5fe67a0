package io.troth.agent.sql;

/**
 * What a column of a result is called and holds.
 *
 * @param array whether it holds one-dimensional arrays of the type
 */
public record SqlColumn(String name, SqlType type, boolean array) {}
