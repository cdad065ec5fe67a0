package io.troth.client.grpc;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Which of the configured endpoints is tried next: the one that a coordinator names as the leader's, if it is one of
 * them, else the one behind the last. No other address is ever tried, whatever a coordinator says. Used by one thread.
 */
public final class LeaderSearch {

    private final List<String> endpoints;
    private int index;
    private boolean followed;

    /**
     * Begins with one of the endpoints.
     *
     * @param endpoints each is {@code host:port} as text; at least one
     * @param first the index of the first to try
     */
    public LeaderSearch(List<?> endpoints, int first) {
        this.endpoints = endpoints.stream().map(LeaderSearch::text).toList();
        index = first;
    }

    private static String text(Object endpoint) {
        return endpoint.toString().toLowerCase(Locale.ROOT);
    }

    /** The index of the endpoint to try now. */
    public int index() {
        return index;
    }

    /**
     * The attempt has ended.
     *
     * @param leader where the leader is, as the coordinator says; null when it says nothing
     * @return true when the next attempt need not wait: it follows a hint. Never twice in a row, or two coordinators that
     *     name each other would be asked in a circle without a pause, and the third never
     */
    public boolean next(@Nullable String leader) {
        int hinted = leader == null ? -1 : endpoints.indexOf(text(leader));
        followed = hinted >= 0 && hinted != index && !followed;
        index = followed ? hinted : (index + 1) % endpoints.size();
        return followed;
    }
}
