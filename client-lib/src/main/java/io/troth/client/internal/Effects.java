package io.troth.client.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What has to happen after the engine's lock is released: code of the application runs in completed futures. */
final class Effects {

    private final List<Runnable> effects = new ArrayList<>();

    <T> void complete(CompletableFuture<T> future, T value) {
        effects.add(() -> future.complete(value));
    }

    void fail(CompletableFuture<?> future, Throwable cause) {
        effects.add(() -> future.completeExceptionally(cause));
    }

    void then(Runnable effect) {
        effects.add(effect);
    }

    void run() {
        effects.forEach(Runnable::run);
    }
}
