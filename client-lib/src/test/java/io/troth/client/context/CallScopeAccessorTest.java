package io.troth.client.context;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grpc.Context;
import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import java.lang.reflect.Field;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: a scope that Micrometer takes along is there as long as it should be, and never longer, and costs nothing that
 * stays. Method: snapshots as applications take them, with the accessor that the service file names.
 */
class CallScopeAccessorTest {

    private static final int MANY = 100_000;
    private static final Context.Key<String> OTHER = Context.key("other");

    private final ContextSnapshotFactory snapshots =
            ContextSnapshotFactory.builder().build();
    private final ContextSnapshotFactory clearing =
            ContextSnapshotFactory.builder().clearMissing(true).build();
    private final ExecutorService pool = Executors.newSingleThreadExecutor();
    private final CallScope first = scope(1);
    private final CallScope second = scope(2);

    @AfterEach
    void nothingIsLeftBehind() {
        pool.shutdownNow();
        assertNull(CallScope.current());
    }

    private static CallScope scope(long sequence) {
        GlobalTxId tx = new GlobalTxId(0, new EpochId(1, 2), 3, sequence);
        return new CallScope(
                new TransactionContext(new ClusterId(1), tx, new SessionKey(1, 2), 0, 60_000), NanoClock.SYSTEM);
    }

    private ContextSnapshot snapshotOf(CallScope scope) {
        try (CallScope.Binding binding = scope.attach()) {
            assertNotNull(binding);
            return snapshots.captureAll();
        }
    }

    @Test
    void takesTheScopeToAnotherThreadAndLeavesNoneThere() throws Exception {
        Runnable task = snapshotOf(first).wrap(() -> assertSame(first, CallScope.current()));
        pool.submit(task).get(60, TimeUnit.SECONDS);
        pool.submit(() -> {
                    assertNull(CallScope.current());
                    assertSame(Context.ROOT, Context.current());
                })
                .get(60, TimeUnit.SECONDS);
        pool.submit(snapshotOf(second).wrap(() -> assertSame(second, CallScope.current())))
                .get(60, TimeUnit.SECONDS);
    }

    @Test
    void bringsBackWhatWasThere() {
        ContextSnapshot none = clearing.captureAll();
        try (CallScope.Binding outer = first.attach()) {
            assertNotNull(outer);
            Context before = Context.current();
            try (ContextSnapshot.Scope inner = snapshotOf(second).setThreadLocals()) {
                assertNotNull(inner);
                assertSame(second, CallScope.current());
                try (ContextSnapshot.Scope cleared = none.setThreadLocals()) {
                    assertNotNull(cleared);
                    assertNull(CallScope.current());
                }
                assertSame(second, CallScope.current());
            }
            assertSame(before, Context.current());
        }
    }

    @Test
    void keepsWhatOthersPutIntoTheContextMeanwhile() {
        try (ContextSnapshot.Scope outer = snapshotOf(first).setThreadLocals()) {
            assertNotNull(outer);
            Context others = Context.current().withValue(OTHER, "kept");
            Context previous = others.attach();
            try (ContextSnapshot.Scope inner = snapshotOf(second).setThreadLocals()) {
                assertNotNull(inner);
                assertSame(second, CallScope.current());
                assertEquals("kept", OTHER.get());
            }
            assertSame(others, Context.current());
            others.detach(previous);
            assertSame(first, CallScope.current());
        }
        assertSame(Context.ROOT, Context.current());
    }

    @Test
    void theChainOfContextsDoesNotGrow() throws Exception {
        CallScopeAccessor accessor = new CallScopeAccessor();
        ContextSnapshot inner = snapshotOf(second);
        try (ContextSnapshot.Scope outer = snapshotOf(first).setThreadLocals()) {
            assertNotNull(outer);
            int depth = depth();
            for (int i = 0; i < MANY; i++) {
                try (ContextSnapshot.Scope scope = inner.setThreadLocals()) {
                    assertNotNull(scope);
                }
            }
            assertEquals(depth, depth());
            for (int i = 0; i < MANY; i++) {
                accessor.setValue(i % 2 == 0 ? first : second);
            }
            assertEquals(depth, depth());
        }
        assertSame(Context.ROOT, Context.current());
    }

    /** How many contexts the current one was derived through; gRPC keeps it to warn of just such a leak. */
    private static int depth() throws ReflectiveOperationException {
        Field generation = Context.class.getDeclaredField("generation");
        generation.setAccessible(true);
        return generation.getInt(Context.current());
    }

    @Test
    void theLibraryWorksWithoutTheDependency() throws Exception {
        List<URL> urls = new ArrayList<>();
        for (String entry :
                System.getProperty("java.class.path").split(Pattern.quote(java.io.File.pathSeparator), -1)) {
            if (!entry.contains("context-propagation")) {
                urls.add(Path.of(entry).toUri().toURL());
            }
        }
        try (URLClassLoader without =
                new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getPlatformClassLoader())) {
            assertThrows(
                    ClassNotFoundException.class, () -> without.loadClass("io.micrometer.context.ThreadLocalAccessor"));
            Class<?> scope = without.loadClass("io.troth.client.context.CallScope");
            assertNull(scope.getMethod("current").invoke(null));
            Class<?> client = without.loadClass("io.troth.client.TrothClient");
            assertNotNull(client.getMethod("builder").invoke(null));
        }
    }
}
