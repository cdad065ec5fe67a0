package io.troth.coordinator.engine;

import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * Everything the engine touches. With a simulated log, a recorded gateway, a clock that a test moves, seeded bits and
 * {@code Runnable::run}, a run of the engine can be repeated exactly.
 *
 * @param log not yet recovered
 * @param gateway where the engine sends
 * @param steps hears of crash points; {@link StepListener#NONE} in production
 * @param listener hears what happens
 * @param nanoTime a monotonic clock in nanoseconds; the only time the engine knows
 * @param secureBits 64 unpredictable bits each time, for the epoch's nonce and for session keys; thread-safe
 * @param lookups runs {@link DecisionLog#find}, which may wait for the disk; it must not refuse while the engine runs.
 *     What is handed to it is bounded by the core's limits
 */
public record EnginePorts(
        DecisionLog log,
        StreamGateway gateway,
        StepListener steps,
        EngineListener listener,
        LongSupplier nanoTime,
        LongSupplier secureBits,
        Executor lookups) {}
