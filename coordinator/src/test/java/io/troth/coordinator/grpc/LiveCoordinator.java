package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.troth.coordinator.engine.CoordinatorEngine;
import io.troth.coordinator.engine.EngineListener;
import io.troth.coordinator.engine.EnginePorts;
import io.troth.coordinator.engine.SimulatedDecisionLog;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.server.EngineLoop;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.coordinator.CoordinatorLimits;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The real engine on its thread with a log in memory, behind a real server on a loopback port. */
public final class LiveCoordinator implements AutoCloseable {

    static final ClusterId CLUSTER = new ClusterId(0xC0FFEE);

    /** However slow the machine, a commit is complete when it is answered, and no agent is told anything twice. */
    private static final CoordinatorLimits PATIENT = patient(CoordinatorLimits.DEFAULTS);

    final SimulatedDecisionLog log;
    final CoordinatorEngine engine;
    final GrpcServer server;
    final ManagedChannel channel;
    final List<ErrorCode> refusals = new CopyOnWriteArrayList<>();
    private final EngineLoop turns;

    public LiveCoordinator() throws Exception {
        this(new SimulatedDecisionLog(), GrpcSettings.loopback(0));
    }

    LiveCoordinator(SimulatedDecisionLog log, GrpcSettings settings) throws Exception {
        this.log = log.writeAtOnce();
        SplittableRandom random = new SplittableRandom(7);
        GrpcStreamGateway gateway = new GrpcStreamGateway(CLUSTER, 0);
        engine = new CoordinatorEngine(
                0,
                PATIENT,
                new EnginePorts(
                        log,
                        gateway,
                        StepListener.NONE,
                        EngineListener.all(List.of()),
                        System::nanoTime,
                        () -> {
                            synchronized (random) {
                                return random.nextLong();
                            }
                        },
                        Runnable::run));
        EdgeListener edge = new EdgeListener() {
            @Override
            public void refused(Reason reason) {
                refusals.add(reason.code());
            }

            @Override
            public void streamOpened(Kind kind) {}

            @Override
            public void streamClosed(Kind kind) {}
        };
        server = new GrpcServer(settings, edge, System::nanoTime);
        server.serve(engine, gateway);
        engine.start();
        turns = new EngineLoop(engine, server.engineLoop());
        turns.start();
        server.start();
        channel = NettyChannelBuilder.forAddress("localhost", server.port(), InsecureChannelCredentials.create())
                .build();
    }

    private static CoordinatorLimits patient(CoordinatorLimits d) {
        return new CoordinatorLimits(
                d.openTransactionsMax(),
                d.openTransactionsPerSessionMax(),
                d.sequenceWindowMax(),
                d.branchesPerTransactionMax(),
                d.sessionsMax(),
                d.agentStreamsMax(),
                d.transactionTimeoutMaxMillis(),
                60_000,
                60_000,
                d.instanceGoneMillis(),
                d.fateRetryMillis(),
                d.sessionGraceMillis(),
                d.sessionAgeMaxMillis(),
                d.outcomeRetentionMillis());
    }

    public int port() {
        return server.port();
    }

    @Nullable
    Reason notReady() {
        return engine.notReady();
    }

    @Override
    public void close() {
        channel.shutdownNow();
        engine.drain(Duration.ZERO).orTimeout(60, TimeUnit.SECONDS).join();
        try {
            assertTrue(turns.join(60_000), "the engine's last turn is over");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        server.close();
    }
}
