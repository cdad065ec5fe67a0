package io.troth.agent.engine;

/**
 * Which database a resource name stands for; every instance that offers the name must say the same (protocol 9.3).
 *
 * @param kind the database product, such as {@code postgresql}
 * @param identity what makes it this database and no other, such as system identifier and database
 * @param role the database role that prepares and resolves
 */
public record ResourceIdentity(String kind, String identity, String role) {}
