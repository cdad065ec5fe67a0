package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.client.context.CallScope;
import io.troth.client.grpc.Endpoint;
import io.troth.client.internal.SqlGateways.Gateway;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.CoordinatorState;
import io.troth.proto.v1.ResourceLocated;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: a channel lives as long as somebody names its gateway or a transaction stays with it, and no longer: pods come and
 * go with new addresses. Method: a clock that the test turns, and a coordinator that names what the test says.
 */
class SqlGatewaysTest {

    private static final io.troth.proto.v1.EpochId EPOCH =
            io.troth.proto.v1.EpochId.newBuilder().setNumber(1).setNonce(2).build();

    private final Map<String, List<String>> offered = new HashMap<>();
    private final TimersByHand timers = new TimersByHand();
    private final ClientEngine engine = ClientEngine.start(
            ClientSettings.of(List.of(new Endpoint("localhost", 1))), this::nanos, timers, new Naming());
    private final SqlGateways gateways = new SqlGateways(engine, false, this::nanos);
    private long now;
    private long sequence;
    private CoordinatorLink.@Nullable Listener engineHears;

    @BeforeEach
    void up() {
        assertTrue(hears().up(CoordinatorState.newBuilder().setEpoch(EPOCH).build()));
    }

    @AfterEach
    void close() {
        gateways.close();
        engine.close();
    }

    private CoordinatorLink.Listener hears() {
        return Objects.requireNonNull(engineHears);
    }

    private long nanos() {
        return now;
    }

    private CallScope newScope() {
        return new CallScope(
                new TransactionContext(
                        new ClusterId(7),
                        new GlobalTxId(0, new EpochId(1, 2), 1, ++sequence),
                        new SessionKey(1, 2),
                        TransactionContext.ROOT_CALL,
                        3_600_000),
                this::nanos);
    }

    private Gateway of(CallScope scope, String resource) {
        return gateways.of(scope, resource, 1_000).join();
    }

    /** As long as an answer is believed, and a little longer. */
    private void later() {
        now += TimeUnit.SECONDS.toNanos(6);
    }

    private final class Naming extends SilentLink {
        @Override
        public void start(Listener listener) {
            engineHears = listener;
        }

        @Override
        public void send(ClientEntry entry) {
            if (entry.hasLocateResource()) {
                String resource = entry.getLocateResource().getResource();
                timers.schedule(
                        () -> hears().replies(List.of(ClientReply.newBuilder()
                                .setCorrelationId(entry.getCorrelationId())
                                .setResourceLocated(ResourceLocated.newBuilder()
                                        .setResource(resource)
                                        .addAllSqlAddresses(offered.getOrDefault(resource, List.of())))
                                .build())),
                        0);
            }
        }
    }

    private Gateway located(CallScope scope, String resource) {
        var found = gateways.of(scope, resource, 1_000);
        while (!found.isDone()) {
            timers.next();
        }
        return found.join();
    }

    @Test
    void forgetsTheGatewaysThatNobodyNamesAnyMore() {
        Gateway last = null;
        for (int pod = 1; pod <= 50; pod++) {
            offered.put("accounts", List.of("127.0.0." + pod + ":7710"));
            CallScope scope = newScope();
            Gateway now = located(scope, "accounts");
            var unused = scope.close();
            assertFalse(now.managed().isShutdown());
            assertTrue(last == null || last.managed().isShutdown(), "pod " + (pod - 1) + " is gone");
            last = now;
            later();
        }
    }

    @Test
    void staysWithAGatewayAsLongAsATransactionDoes() {
        offered.put("accounts", List.of("127.0.0.1:7710"));
        CallScope open = newScope();
        Gateway first = located(open, "accounts");
        offered.put("accounts", List.of("127.0.0.2:7710"));
        later();
        Gateway second = located(newScope(), "accounts");
        assertNotSame(first, second);
        assertFalse(first.managed().isShutdown(), "the open transaction is not finished there");
        assertSame(first, of(open, "accounts"));
        var unused = open.close();
        later();
        assertSame(second, located(newScope(), "accounts"));
        assertTrue(first.managed().isShutdown());
    }

    @Test
    void keepsWhatAnotherResourceIsOfferedAtAlsoWhileThatIsAskedForAgain() {
        offered.put("accounts", List.of("127.0.0.1:7710"));
        offered.put("stock", List.of("127.0.0.2:7710"));
        CallScope scope = newScope();
        Gateway accounts = located(scope, "accounts");
        Gateway stock = located(scope, "stock");
        var unused = scope.close();
        later();
        var asked = gateways.of(newScope(), "accounts", 1_000);
        assertFalse(asked.isDone());
        assertSame(stock, located(newScope(), "stock"));
        assertFalse(accounts.managed().isShutdown());
        assertSame(accounts, asked.join());
        gateways.lost(stock);
        assertSame(accounts, located(newScope(), "accounts"), "a lost one says nothing about the others");
    }

    /** The connection was lost, and not the agent: what it has in hand goes on as soon as it is reached again. */
    @Test
    void aLostCallEndsNoOtherTransactionsChannel() {
        offered.put("accounts", List.of("127.0.0.1:7710"));
        CallScope hit = newScope();
        CallScope other = newScope();
        Gateway lost = located(hit, "accounts");
        assertSame(lost, of(other, "accounts"));
        gateways.lost(lost);
        assertFalse(lost.managed().isShutdown());
        assertSame(lost, of(other, "accounts"));
        assertNotSame(lost, located(newScope(), "accounts"), "who comes next connects anew");
        var unused = hit.close();
        assertFalse(lost.managed().isShutdown());
        unused = other.close();
        assertTrue(lost.managed().isShutdown());
    }

    @Test
    void aLostChannelThatIsStillUsedEndsWithTheClient() {
        offered.put("accounts", List.of("127.0.0.1:7710"));
        Gateway lost = located(newScope(), "accounts");
        gateways.lost(lost);
        gateways.close();
        assertTrue(lost.managed().isShutdown());
    }

    @Test
    void aLostChannelThatNobodyUsesEndsAtOnce() {
        offered.put("accounts", List.of("127.0.0.1:7710"));
        CallScope scope = newScope();
        Gateway lost = located(scope, "accounts");
        var unused = scope.close();
        gateways.lost(lost);
        assertTrue(lost.managed().isShutdown());
    }

    @Test
    void forgetsTheGatewayOfAResourceThatNobodyOffersAnyMore() {
        offered.put("accounts", List.of("127.0.0.1:7710"));
        offered.put("stock", List.of("127.0.0.2:7710"));
        CallScope scope = newScope();
        Gateway accounts = located(scope, "accounts");
        var unused = scope.close();
        offered.remove("accounts");
        later();
        var refused = gateways.of(newScope(), "accounts", 1_000);
        // "None" is not believed at once.
        for (int i = 0; i < 1_000 && !accounts.managed().isShutdown(); i++) {
            now += TimeUnit.MILLISECONDS.toNanos(100);
            timers.next();
        }
        assertThrows(CompletionException.class, refused::join);
        assertTrue(accounts.managed().isShutdown());
        assertEquals("127.0.0.2:7710", located(newScope(), "stock").address());
    }
}
