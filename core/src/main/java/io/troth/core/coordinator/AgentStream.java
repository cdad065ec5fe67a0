package io.troth.core.coordinator;

import io.troth.core.coordinator.AgentHello.AgentResource;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One connected agent instance. */
final class AgentStream {

    final StreamId id;
    final AgentHello hello;
    private final TreeMap<String, AgentResource> resources = new TreeMap<>();

    AgentStream(StreamId id, AgentHello hello) {
        this.id = id;
        this.hello = hello;
        for (AgentResource resource : hello.resources()) {
            resources.put(resource.name(), resource);
        }
    }

    long instance() {
        return hello.instance();
    }

    @Nullable
    AgentResource resource(String name) {
        return resources.get(name);
    }

    boolean offers(String name) {
        return resources.containsKey(name);
    }

    /** True when this is the resource and, as far as the identity is known, the same database. */
    boolean offers(String name, @Nullable String identity) {
        AgentResource resource = resources.get(name);
        return resource != null && (identity == null || identity.equals(resource.identity()));
    }

    /** True when it is that database, under whatever name; false when the identity is not known. */
    boolean isAt(@Nullable String identity) {
        if (identity == null) {
            return false;
        }
        for (AgentResource resource : resources.values()) {
            if (identity.equals(resource.identity())) {
                return true;
            }
        }
        return false;
    }
}
