package io.troth.client;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The transaction is rolled back, certainly and everywhere: nothing of its work is or ever will be committed. */
public final class RolledBackException extends TrothException {

    // Texts, since an exception is serializable.
    private final String tx;
    private final String name;
    private final @Nullable String branch;
    private final @Nullable String resource;

    RolledBackException(
            GlobalTxId tx, String name, Reason reason, @Nullable BranchId branch, @Nullable String resource) {
        super(reason);
        this.tx = tx.toString();
        this.name = name;
        this.branch = branch == null ? null : branch.toString();
        this.resource = resource;
    }

    /** The transaction that is rolled back. */
    public GlobalTxId tx() {
        return GlobalTxId.parse(tx);
    }

    /** The branch that caused it, where there is one. */
    public Optional<BranchId> branch() {
        return Optional.ofNullable(branch).map(BranchId::parse);
    }

    /** The resource of that branch, where it is known. */
    public Optional<String> resource() {
        return Optional.ofNullable(resource);
    }

    /** True when the same work may succeed as a new transaction. */
    public boolean isRetryable() {
        return code().retryable();
    }

    /** A transaction in a message. */
    static String called(String name, String tx) {
        return name.isEmpty() ? "transaction " + tx : "transaction \"" + name + "\" " + tx;
    }

    @Override
    public String getMessage() {
        String where = resource == null ? "" : " by resource " + resource;
        return called(name, tx) + " is rolled back" + where + ": " + super.getMessage();
    }
}
