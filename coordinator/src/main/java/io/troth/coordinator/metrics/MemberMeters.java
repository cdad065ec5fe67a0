package io.troth.coordinator.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.troth.coordinator.admin.ClusterView;
import io.troth.coordinator.admin.MemberFigures;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** The meters of a member of a cluster: what it was at the last sample. Samples come one at a time. */
final class MemberMeters {

    private final Supplier<MemberFigures> source;
    private final MultiGauge lags;
    private volatile MemberFigures last;

    /** Registers all meters; {@code source} is asked at once, and at each sample. */
    MemberMeters(MeterRegistry registry, Supplier<MemberFigures> source) {
        this.source = source;
        last = source.get();
        for (ClusterView.Role role : ClusterView.Role.values()) {
            gauge("role", "1 for what this member is", figures -> figures.view().role() == role ? 1 : 0)
                    .tags(MeterTags.of("role", role))
                    .register(registry);
        }
        gauge("term", "Raft's term", figures -> figures.view().term()).register(registry);
        gauge(
                        "applied.index",
                        "The last entry applied",
                        figures -> figures.view().appliedIndex())
                .register(registry);
        gauge(
                        "committed.index",
                        "The last entry known to be committed",
                        figures -> figures.view().committedIndex())
                .register(registry);
        gauge("snapshot.age.seconds", "The age of the newest copy of the store", MemberMeters::snapshotSeconds)
                .register(registry);
        force(registry, "0.5", MemberFigures::forceNanosMedian);
        force(registry, "0.99", MemberFigures::forceNanosP99);
        counter(registry, "leader.changes", "Changes of the leader", MemberFigures::leaderChanges);
        counter(registry, "forces", "Flushes of Raft's log", MemberFigures::forces);
        lags = MultiGauge.builder("troth.member.follower.lag")
                .description("Entries a follower is behind what is committed")
                .register(registry);
        sample();
    }

    private Gauge.Builder<MemberMeters> gauge(String name, String description, ToDoubleFunction<MemberFigures> value) {
        return Gauge.builder("troth.member." + name, this, meters -> value.applyAsDouble(meters.last))
                .description(description);
    }

    private void force(MeterRegistry registry, String quantile, ToDoubleFunction<MemberFigures> nanos) {
        gauge(
                        "force.duration.seconds",
                        "Flushing Raft's log",
                        figures -> nanos.applyAsDouble(figures) / TimeUnit.SECONDS.toNanos(1))
                .tags(Tags.of("quantile", quantile))
                .register(registry);
    }

    private void counter(
            MeterRegistry registry, String name, String description, ToDoubleFunction<MemberFigures> value) {
        FunctionCounter.builder("troth.member." + name, this, meters -> value.applyAsDouble(meters.last))
                .description(description)
                .register(registry);
    }

    private static double snapshotSeconds(MemberFigures figures) {
        Long millis = figures.snapshotMillis();
        return millis == null ? Double.NaN : millis / 1_000.0;
    }

    /** Looks again. */
    void sample() {
        MemberFigures now = source.get();
        last = now;
        List<MultiGauge.Row<?>> rows = new ArrayList<>();
        for (ClusterView.Member member : now.view().members()) {
            ClusterView.Contact contact = member.contact();
            if (contact != null) {
                rows.add(MultiGauge.Row.of(
                        Tags.of("node", member.node()),
                        Math.max(0, now.view().committedIndex() - contact.matchedIndex())));
            }
        }
        lags.register(rows, true);
    }
}
