package io.troth.coordinator.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.troth.coordinator.admin.MemberFigures;
import io.troth.coordinator.engine.EngineInbox;
import io.troth.coordinator.engine.EngineListener;
import io.troth.coordinator.log.LogObserver;
import io.troth.core.Reason;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All meters of a coordinator and of its process, and their text for Prometheus. docs/METRICS.md lists them. Never an
 * id as a tag. Thread-safe.
 */
public final class CoordinatorMetrics implements AutoCloseable {

    /** A scrape waits this long for the engine; then it shows the numbers of the last one. */
    private static final long SAMPLE_MILLIS = 500;

    /** Who is at the other end of a stream. */
    public enum Peer {
        CLIENT,
        AGENT
    }

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics garbageCollection = new JvmGcMetrics();
    private final EngineMeters engine;
    private final LogObserver log;
    private final AtomicInteger clientStreams = new AtomicInteger();
    private final AtomicInteger agentStreams = new AtomicInteger();
    private volatile @Nullable EngineInbox inbox;
    private volatile @Nullable MemberMeters member;

    /** All meters at zero; {@code nanoTime} is a monotonic clock in nanoseconds. */
    public CoordinatorMetrics(LongSupplier nanoTime) {
        List.<MeterBinder>of(
                        new JvmMemoryMetrics(),
                        new JvmThreadMetrics(),
                        garbageCollection,
                        new ProcessorMetrics(),
                        new UptimeMetrics(),
                        new FileDescriptorMetrics())
                .forEach(meters -> meters.bindTo(registry));
        engine = new EngineMeters(registry, nanoTime);
        log = logMeters();
        registry.gauge("troth.streams.open", MeterTags.of("peer", Peer.CLIENT), clientStreams);
        registry.gauge("troth.streams.open", MeterTags.of("peer", Peer.AGENT), agentStreams);
    }

    /** What the engine tells. */
    public EngineListener listener() {
        return engine;
    }

    /** What the log tells. */
    public LogObserver observer() {
        return log;
    }

    /**
     * From now on each scrape looks at this engine, which has not started; of one that has stopped there is nothing to
     * show.
     */
    public void watch(EngineInbox engineInbox) {
        engine.begins();
        inbox = engineInbox;
    }

    /** This coordinator is a member of a cluster: from now on its numbers are shown, too. Once. */
    public void watchMember(Supplier<MemberFigures> figures) {
        member = new MemberMeters(registry, figures);
    }

    /** A stream was opened. */
    public void streamOpened(Peer peer) {
        streams(peer).incrementAndGet();
    }

    /** A stream is gone. */
    public void streamClosed(Peer peer) {
        streams(peer).decrementAndGet();
    }

    /** Something was refused before it came to the engine. */
    public void refusedAtEdge(Reason reason) {
        engine.refused(reason);
    }

    /** All meters in the text format of Prometheus. Waits a moment for the engine: not for the engine thread. */
    public String scrape() {
        MemberMeters meters = member;
        if (meters != null) {
            synchronized (meters) {
                meters.sample();
            }
        }
        EngineInbox looksAt = inbox;
        if (looksAt != null) {
            try {
                looksAt.look(machine -> {
                            engine.sample(machine);
                            return true;
                        })
                        .get(SAMPLE_MILLIS, TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                engine.leadsNot();
            } catch (TimeoutException e) {
                // Busy for longer than a scrape waits: the last sample is shown.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return registry.scrape();
    }

    /** Listens to the JVM no more; there is nothing to scrape then. */
    @Override
    public void close() {
        garbageCollection.close();
        registry.close();
    }

    private AtomicInteger streams(Peer peer) {
        return switch (peer) {
            case CLIENT -> clientStreams;
            case AGENT -> agentStreams;
        };
    }

    private LogObserver logMeters() {
        Timer force = Timer.builder("troth.log.force.duration")
                .description("Writing and flushing one batch of the log")
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofNanos(10_000))
                .maximumExpectedValue(Duration.ofSeconds(10))
                .register(registry);
        DistributionSummary records = DistributionSummary.builder("troth.log.force.records")
                .description("Records in one forced batch of the log")
                .publishPercentileHistogram()
                .minimumExpectedValue(1.0)
                .maximumExpectedValue(1_024.0)
                .register(registry);
        Counter lazy = Counter.builder("troth.log.lazy.writes")
                .description("Batches of the log written without a flush")
                .register(registry);
        return (count, forced, nanos) -> {
            if (forced) {
                force.record(nanos, TimeUnit.NANOSECONDS);
                records.record(count);
            } else {
                lazy.increment();
            }
        };
    }
}
