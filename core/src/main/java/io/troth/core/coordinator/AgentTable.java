package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.coordinator.AgentHello.AgentResource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The connected agents by stream, instance and resource, and what is known of resources. */
final class AgentTable {

    /** How many resource names a leader remembers. */
    static final int KNOWN_MAX = 10_000;

    final TreeMap<StreamId, AgentStream> streams = new TreeMap<>();
    /** Every resource heard of in this process: the horizon waits for each. */
    final TreeSet<String> known = new TreeSet<>();
    /** Gone for ever, says an operator: the horizon does not wait for it. */
    final TreeSet<String> excluded = new TreeSet<>();
    /** On hold: in-doubt branches are listed, not resolved. */
    final TreeSet<String> held = new TreeSet<>();

    private final Map<Long, AgentStream> byInstance = new HashMap<>();
    /** In the order of stream ids. */
    private final Map<String, List<AgentStream>> byResource = new HashMap<>();

    @Nullable
    AgentStream find(StreamId stream) {
        return streams.get(stream);
    }

    @Nullable
    AgentStream ofInstance(long instance) {
        return byInstance.get(instance);
    }

    /** The stream of the instance that holds this branch, when it is connected and offers the resource. */
    @Nullable
    AgentStream holding(BranchId branch, String resource) {
        AgentStream stream = byInstance.get(branch.instance());
        return stream != null && stream.offers(resource) ? stream : null;
    }

    /** All instances of the resource, in the order of stream ids. */
    List<AgentStream> offering(String resource) {
        return byResource.getOrDefault(resource, List.of());
    }

    /**
     * An instance of the resource at this database, by turns.
     *
     * @param identity the database; null for whichever
     * @param turn how many were asked before
     */
    @Nullable
    AgentStream anyAt(String resource, @Nullable String identity, int turn) {
        List<AgentStream> all = offering(resource);
        for (int i = 0; i < all.size(); i++) {
            AgentStream candidate = all.get((turn + i) % all.size());
            if (candidate.offers(resource, identity)) {
                return candidate;
            }
        }
        return null;
    }

    void add(AgentStream stream) {
        streams.put(stream.id, stream);
        byInstance.put(stream.instance(), stream);
        for (AgentResource resource : stream.hello.resources()) {
            known.add(resource.name());
            List<AgentStream> all = byResource.computeIfAbsent(resource.name(), name -> new ArrayList<>());
            int at = all.size();
            while (at > 0 && all.get(at - 1).id.compareTo(stream.id) > 0) {
                at--;
            }
            all.add(at, stream);
        }
    }

    void remove(AgentStream stream) {
        streams.remove(stream.id);
        byInstance.remove(stream.instance());
        for (AgentResource resource : stream.hello.resources()) {
            List<AgentStream> all = byResource.get(resource.name());
            if (all != null) {
                all.remove(stream);
                if (all.isEmpty()) {
                    byResource.remove(resource.name());
                }
            }
        }
    }
}
