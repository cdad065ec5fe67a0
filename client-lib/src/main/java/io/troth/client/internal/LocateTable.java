package io.troth.client.internal;

import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.LocateResource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Questions for the SQL gateways of a resource. Guarded by the engine's lock.
 *
 * <p>"None" is not the last word: after a start or a change of the leader clients often find the coordinator before the
 * agents do, which are there a moment later. So it is asked again with every tick for 2 s, twice as long as an agent
 * pauses between two attempts to connect; not longer, since the transaction may hold locks elsewhere meanwhile. While there
 * is no stream, questions wait for the next one.
 */
final class LocateTable {

    private static final int ASKED_AGAIN_MAX = 20;

    private final EngineState state;
    private final Map<Long, Locate> byCorrelation = new HashMap<>();
    /** To be asked with the next tick. */
    private final List<Locate> later = new ArrayList<>();

    LocateTable(EngineState state) {
        this.state = state;
    }

    /**
     * A question.
     *
     * @param timeoutNanos how long each answer may take
     * @param giveUpNanos when the one that is waited for fails
     * @param asksLeft how often "none" is not believed
     */
    private record Locate(
            String resource,
            CompletableFuture<List<String>> future,
            long timeoutNanos,
            long giveUpNanos,
            int asksLeft) {

        Locate again(long nowNanos) {
            return new Locate(resource, future, timeoutNanos, nowNanos + timeoutNanos, asksLeft - 1);
        }
    }

    /** Completes with the addresses; with none when no agent of the resource has come in time. */
    void ask(String resource, CompletableFuture<List<String>> future, long nowNanos, long timeoutMillis) {
        long timeoutNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        Locate locate = new Locate(resource, future, timeoutNanos, nowNanos + timeoutNanos, ASKED_AGAIN_MAX);
        if (state.linkUp) {
            send(locate);
        } else {
            later.add(locate);
        }
    }

    /** What was asked on the stream is asked again on the next one. */
    void streamDown() {
        later.addAll(byCorrelation.values());
        byCorrelation.clear();
    }

    private void send(Locate locate) {
        long correlation = state.send(ClientEntry.newBuilder()
                .setLocateResource(LocateResource.newBuilder().setResource(locate.resource())));
        byCorrelation.put(correlation, locate);
    }

    void located(long correlation, List<String> addresses, Effects effects) {
        Locate locate = byCorrelation.remove(correlation);
        if (locate == null) {
            return;
        }
        if (addresses.isEmpty() && locate.asksLeft() > 0) {
            later.add(locate);
        } else {
            effects.complete(locate.future(), List.copyOf(addresses));
        }
    }

    void refused(long correlation, Reason reason, Effects effects) {
        Locate locate = byCorrelation.remove(correlation);
        if (locate != null) {
            effects.fail(locate.future(), new TrothException(reason));
        }
    }

    void failAll(Reason reason, Effects effects) {
        byCorrelation.values().forEach(locate -> effects.fail(locate.future(), new TrothException(reason)));
        byCorrelation.clear();
        later.forEach(locate -> effects.fail(locate.future(), new TrothException(reason)));
        later.clear();
    }

    /** Asks again, and fails those that have waited long enough. */
    void tick(long nowNanos, Reason reason, Effects effects) {
        if (state.linkUp) {
            later.forEach(locate -> send(locate.again(nowNanos)));
            later.clear();
        }
        later.removeIf(locate -> isOver(locate, nowNanos, reason, effects));
        byCorrelation.values().removeIf(locate -> isOver(locate, nowNanos, reason, effects));
    }

    private static boolean isOver(Locate locate, long nowNanos, Reason reason, Effects effects) {
        boolean over = locate.giveUpNanos() - nowNanos <= 0;
        if (over) {
            effects.fail(locate.future(), new TrothException(reason));
        }
        return over;
    }
}
