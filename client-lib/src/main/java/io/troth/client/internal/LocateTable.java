package io.troth.client.internal;

import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.LocateResource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Questions for the SQL gateways of a resource. Guarded by the engine's lock. */
final class LocateTable {

    private final EngineState state;
    private final Map<Long, Locate> byCorrelation = new HashMap<>();

    LocateTable(EngineState state) {
        this.state = state;
    }

    private record Locate(CompletableFuture<List<String>> future, long giveUpNanos) {}

    void ask(String resource, CompletableFuture<List<String>> future, long giveUpNanos) {
        long correlation = state.send(ClientEntry.newBuilder()
                .setLocateResource(LocateResource.newBuilder().setResource(resource)));
        byCorrelation.put(correlation, new Locate(future, giveUpNanos));
    }

    void located(long correlation, List<String> addresses, Effects effects) {
        Locate locate = byCorrelation.remove(correlation);
        if (locate != null) {
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
    }

    /** Fails those that have waited long enough. */
    void giveUp(long nowNanos, Reason reason, Effects effects) {
        byCorrelation.values().removeIf(locate -> {
            boolean over = locate.giveUpNanos() - nowNanos <= 0;
            if (over) {
                effects.fail(locate.future(), new TrothException(reason));
            }
            return over;
        });
    }
}
