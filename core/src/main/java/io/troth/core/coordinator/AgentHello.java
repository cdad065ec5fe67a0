package io.troth.core.coordinator;

import io.troth.core.EpochId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The first message of an agent on its stream.
 *
 * @param instance the agent process's random id
 * @param highestEpoch the highest epoch it has heard from a coordinator stream, null when none yet
 * @param highestBatch the highest durable batch number heard in that epoch, 0 when none
 * @param resources what it wraps, at least one
 */
public record AgentHello(
        long instance, @Nullable EpochId highestEpoch, long highestBatch, List<AgentResource> resources) {

    /**
     * One wrapped resource.
     *
     * @param name the name that clients use
     * @param kind the database product, such as {@code postgresql}
     * @param identity what makes it this database and no other; two instances of one name must agree
     * @param role the database role that prepares and resolves
     * @param sqlAddress {@code host:port} of the SQL gateway, null when it is off
     */
    public record AgentResource(
            String name,
            String kind,
            String identity,
            String role,
            @Nullable String sqlAddress) {}

    public AgentHello {
        resources = List.copyOf(resources);
    }
}
