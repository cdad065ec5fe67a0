package io.troth.agent;

import io.troth.agent.server.AgentRuntime;
import io.troth.core.TransactionContext;
import java.time.Duration;
import javax.sql.DataSource;

/**
 * The participant agent inside a service: it wraps the service's databases, so that their connections take part in the
 * global transaction that a call runs under. Make one and share it. It connects to the coordinator in the background
 * and for ever. Thread-safe.
 *
 * <pre>{@code
 * try (TrothAgent agent = TrothAgent.builder()
 *         .coordinator("localhost:7700")
 *         .resource("accounts", xaDataSource)
 *         .start()) {
 *     DataSource accounts = agent.dataSource("accounts");
 *     ...
 * }
 * }</pre>
 */
public final class TrothAgent implements AutoCloseable {

    private final AgentRuntime runtime;

    TrothAgent(AgentRuntime runtime) {
        this.runtime = runtime;
    }

    /** What an agent needs to know: a coordinator and at least one resource. */
    public static TrothAgentBuilder builder() {
        return new TrothAgentBuilder();
    }

    /**
     * The connections to a resource. Inside a global transaction they belong to its branch: several {@code
     * getConnection()} give one branch, and {@code commit}, {@code rollback} and {@code setAutoCommit(true)} are refused
     * with an SQLException. Outside they are plain local connections from the same pool. While no coordinator is
     * reachable, local use works and a branch start waits for {@link TrothAgentBuilder#connectTimeout}, then throws {@code
     * SQLTransientConnectionException} NO_COORDINATOR; LEADER_CHANGED at once when another leader is known by then.
     *
     * @throws IllegalArgumentException when the agent wraps no resource of that name
     */
    public DataSource dataSource(String resource) {
        return runtime.dataSource(resource);
    }

    /**
     * Whether the transaction of a call is one of this agent's cluster, and of the last leader that it has heard of. For the
     * interceptor of the service's calls, so that headers that somebody makes up take little of what it remembers:
     *
     * <pre>{@code
     * new TrothServerInterceptor(Set.of(), TrothServerInterceptor.SERVED_CALLS_MAX, agent::knows)
     * }</pre>
     */
    public boolean knows(TransactionContext context) {
        return runtime.knows(context);
    }

    /** Whether branches may start: the agent has a stream to a ready coordinator. */
    public boolean isReady() {
        return runtime.isReady();
    }

    /** Waits until branches may start. Returns false when the time is over first, or the agent has stopped. */
    public boolean awaitReady(Duration timeout) throws InterruptedException {
        return runtime.awaitReady(timeout);
    }

    /**
     * Takes no new transaction, gives the running ones the drain time, rolls back what is still unprepared then, and
     * closes the connections. Prepared branches stay prepared; any instance of the resource finishes them. Closing again
     * does nothing.
     */
    @Override
    public void close() {
        runtime.close();
    }
}
