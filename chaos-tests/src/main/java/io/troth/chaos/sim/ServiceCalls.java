package io.troth.chaos.sim;

import io.troth.chaos.sim.world.SimProcess;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TransactionContext;

/** The services that a client calls under its transactions. One thread. */
final class ServiceCalls {

    private final Run run;
    private final SimProcess process;

    ServiceCalls(Run run, SimProcess process) {
        this.run = run;
        this.process = process;
    }

    /** Calls one; {@code returned} is run when it has replied, or never will. */
    void call(ClientTransaction tx, Call.Script script, Runnable returned) {
        tx.root.share();
        TransactionContext context =
                run.nested(new TransactionContext(Run.CLUSTER, tx.id, tx.key, 0, 0), tx.root.remainingMillis());
        run.call(process, new Call(context, script), reply -> {
            if (reply == null) {
                tx.root.setRollbackOnly(Reason.of(ErrorCode.ROLLBACK_ONLY));
            } else {
                tx.root.addReply(reply.list());
                reply.done().forEach((branch, numbers) -> {
                    if (reply.list().branches().stream()
                            .anyMatch(work -> work.branch().equals(branch))) {
                        numbers.forEach(number -> run.ledger.seen(tx.id, branch, number));
                    }
                });
            }
            returned.run();
        });
    }
}
