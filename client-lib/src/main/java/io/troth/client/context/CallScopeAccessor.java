package io.troth.client.context;

import io.grpc.Context;
import io.micrometer.context.ThreadLocalAccessor;
import org.jspecify.annotations.Nullable;

/**
 * Takes the current scope along where Micrometer's context propagation takes thread-locals. Found by its
 * {@code ServiceLoader}; the library itself does not need that dependency.
 *
 * <p>What is set replaces what was set before on the same context, so that neither restoring nor forgetting to restore
 * makes the chain of contexts longer, and the last restore brings back the very context that was there. Nothing waits
 * for work that was taken along like this: a scope that has ended refuses it. Stateless, thread-safe.
 */
public final class CallScopeAccessor implements ThreadLocalAccessor<CallScope> {

    /** The name of the scope in a snapshot. */
    public static final String KEY = "troth.call-scope";

    private static final Context.Key<Replacement> REPLACEMENT = Context.key("troth-call-scope-replacement");

    /** For the {@code ServiceLoader}. */
    public CallScopeAccessor() {}

    /** What a context that was made here stands for. Contexts that others derive of it inherit this, and are not meant. */
    private static final class Replacement {

        private final Context base;
        private @Nullable Context made;

        Replacement(Context base) {
            this.base = base;
        }
    }

    @Override
    public Object key() {
        return KEY;
    }

    @Override
    public @Nullable CallScope getValue() {
        return CallScope.current();
    }

    @Override
    public void setValue(CallScope scope) {
        replace(scope);
    }

    @Override
    public void setValue() {
        replace(null);
    }

    @Override
    public void restore(CallScope previous) {
        replace(previous);
    }

    @Override
    public void restore() {
        replace(null);
    }

    private static void replace(@Nullable CallScope scope) {
        Context current = Context.current();
        Replacement earlier = REPLACEMENT.get(current);
        Context base = earlier != null && earlier.made == current ? earlier.base : current;
        Context wanted = base;
        if (CallScope.of(base) != scope) {
            Replacement replacement = new Replacement(base);
            wanted = (scope == null ? CallScope.unbind(base) : scope.bind(base)).withValue(REPLACEMENT, replacement);
            replacement.made = wanted;
        }
        var unused = wanted.attach();
    }
}
