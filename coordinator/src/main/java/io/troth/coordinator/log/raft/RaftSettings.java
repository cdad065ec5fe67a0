package io.troth.coordinator.log.raft;

import io.troth.coordinator.log.LogSettings;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an operator can set for a member of a replicated log.
 *
 * @param log the data directory of this member, and the limits; the cluster must be named
 * @param node the name of this member, never that of another one, or of one that has lost its disk
 * @param nodes where the members listen for each other, as {@code host:port}, by name; all that found the cluster, or all
 *     that are there and this one
 * @param endpoints where they listen for clients and agents, as {@code host:port}, by name; may be empty
 * @param tls by which members know each other; null for plaintext
 * @param electionTimeoutMillis a member that has not heard of its leader for this time, and up to twice of it, wants to
 *     lead
 * @param snapshotEntries after so many entries the store is copied, and the log behind the copy can go
 * @param entriesInFlightMax so many entries a leader hands over before it waits for the first of them
 * @param keepAliveMillis a leader with nothing to say appends an empty entry so often; a member that came back with an
 *     empty disk would otherwise never hear of the others (RATIS-2523)
 */
public record RaftSettings(
        LogSettings log,
        String node,
        Map<String, String> nodes,
        Map<String, String> endpoints,
        @Nullable Tls tls,
        int electionTimeoutMillis,
        long snapshotEntries,
        int entriesInFlightMax,
        long keepAliveMillis) {

    /** May grow, never shrink: {@link StoppedMember} tells by it what leaders of earlier versions knew to be decided. */
    static final int ENTRIES_IN_FLIGHT_MAX = 2;

    /**
     * PEM files.
     *
     * @param certificate that of this member, whose subject alternative names have its identity
     * @param key the certificate's key
     * @param authorities whose certificates are believed
     */
    public record Tls(Path certificate, Path key, Path authorities) {}

    public RaftSettings {
        nodes = Map.copyOf(nodes);
        endpoints = Map.copyOf(endpoints);
        if (log.cluster() == null) {
            throw new IllegalArgumentException("a member of a replicated log must know its cluster");
        }
        if (!nodes.containsKey(node)) {
            throw new IllegalArgumentException("node " + node + " is not one of " + nodes.keySet());
        }
        if (electionTimeoutMillis < 1 || snapshotEntries < 1 || entriesInFlightMax < 1 || keepAliveMillis < 1) {
            throw new IllegalArgumentException("limits of the log must be positive");
        }
    }

    /** With the defaults of the product for the rest: 100,000 entries, 2 in flight, 1 s. */
    public static RaftSettings defaults(
            LogSettings log,
            String node,
            Map<String, String> nodes,
            Map<String, String> endpoints,
            @Nullable Tls tls,
            int electionTimeoutMillis) {
        return new RaftSettings(
                log, node, nodes, endpoints, tls, electionTimeoutMillis, 100_000, ENTRIES_IN_FLIGHT_MAX, 1_000);
    }
}
