package io.troth.chaos.sim;

import io.troth.agent.engine.AgentEngine;
import io.troth.agent.engine.BranchRefusedException;
import io.troth.chaos.sim.Call.Reply;
import io.troth.chaos.sim.database.SimulatedBranchDatabase;
import io.troth.chaos.sim.database.SqlOperation;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TransactionContext;
import io.troth.core.TrothException;
import io.troth.core.participant.StatementEnd;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The service in an agent's process: it does what its calls say, under their scopes, and replies with what was done, as
 * the interceptors and the wrapped data source do. One thread.
 */
final class SimulatedService {

    /** One call that is being served, or what the client in this process does itself. */
    private final class Served {
        final Call call;
        final CallScope scope;
        final Consumer<Reply> replies;
        final Map<BranchId, List<Long>> done = new TreeMap<>();
        int next;

        Served(Call call, CallScope scope, Consumer<Reply> replies) {
            this.call = call;
            this.scope = scope;
            this.replies = replies;
        }

        void goOn() {
            List<Call.Statement> statements = call.script().statements();
            if (next < statements.size()) {
                statement(statements.get(next++));
            } else if (next++ == statements.size() && call.script().inner() != null) {
                inner(call.script().inner());
            } else {
                reply();
            }
        }

        private void statement(Call.Statement statement) {
            if (world.fault(Fault.SERVICE_ERROR) || scope.remainingMillis() == 0) {
                fail(Reason.of(ErrorCode.ROLLBACK_ONLY));
                return;
            }
            BranchId branch;
            try {
                branch = engine.join(scope, statement.resource());
            } catch (BranchRefusedException refused) {
                world.saw("call refused " + refused.reason().code());
                fail(refused.reason());
                return;
            }
            queue(branch, () -> run(branch, statement));
        }

        private void run(BranchId branch, Call.Statement statement) {
            try {
                engine.statementBegins(scope, branch);
            } catch (BranchRefusedException refused) {
                world.saw("statement refused " + refused.reason().code());
                release(branch);
                fail(refused.reason());
                return;
            }
            SimulatedBranchDatabase database = Objects.requireNonNull(databases.get(statement.resource()));
            SqlOperation operation = statement.operation().under(call.context().call(), scope.scopeId());
            database.execute(call.context().tx(), branch, scope.remainingMillis(), operation, result -> {
                engine.statementEnds(branch, result.end());
                release(branch);
                List<Long> calls = done.computeIfAbsent(branch, key -> new ArrayList<>());
                if (!calls.contains(call.context().call())) {
                    calls.add(call.context().call());
                }
                if (result.failure() == null) {
                    goOn();
                } else if (isRoot()
                        && !isUnharmed(result.end())
                        && world.random().nextInt(4) == 0) {
                    // The application takes no notice, and commits: the agent knows better.
                    reply();
                } else {
                    fail(Reason.of(ErrorCode.STATEMENT_FAILED));
                }
            });
        }

        private void inner(Call.Script script) {
            scope.enter();
            scope.share();
            TransactionContext context = run.nested(call.context(), scope.remainingMillis());
            run.call(process, new Call(context, script), reply -> {
                if (reply == null) {
                    scope.setRollbackOnly(Reason.of(ErrorCode.ROLLBACK_ONLY));
                } else {
                    scope.addReply(reply.list());
                    reply.done()
                            .forEach((branch, calls) -> done.computeIfAbsent(branch, key -> new ArrayList<>())
                                    .addAll(calls));
                }
                scope.exit();
                goOn();
            });
        }

        private boolean isRoot() {
            return scope.call() == TransactionContext.ROOT_CALL;
        }

        private static boolean isUnharmed(StatementEnd end) {
            return end.kind() == StatementEnd.Kind.COMPLETED || end.kind() == StatementEnd.Kind.UNDONE;
        }

        private void fail(Reason reason) {
            scope.setRollbackOnly(reason);
            reply();
        }

        private void reply() {
            BranchList list = isRoot() ? scope.list() : scope.close();
            serving--;
            replies.accept(new Reply(list, done));
        }
    }

    private final Run run;
    private final World world;
    private final SimProcess process;
    private final AgentEngine engine;
    private final Map<String, SimulatedBranchDatabase> databases;
    /** Who waits for a branch: its first one has it. */
    private final Map<BranchId, Deque<Runnable>> waiting = new TreeMap<>();

    private int serving;

    SimulatedService(Run run, SimProcess process, AgentEngine engine, Map<String, SimulatedBranchDatabase> databases) {
        this.run = run;
        this.world = run.world;
        this.process = process;
        this.engine = engine;
        this.databases = databases;
    }

    /** Serves a call; the reply leaves when everything under it has returned (protocol 5.5). */
    void serve(Call call, Consumer<Reply> replies) {
        serving++;
        Served served;
        try {
            CallScope scope = new CallScope(
                    call.context(), process::nanoTime, 1 + world.random().nextLong(Long.MAX_VALUE), false);
            served = new Served(call, scope, replies);
        } catch (TrothException refused) {
            serving--;
            replies.accept(new Reply(new BranchList(true, List.of()), Map.of()));
            return;
        }
        served.goOn();
    }

    /** The client in this process does something itself, under the root scope, which stays open. */
    void work(CallScope root, Call call, Consumer<Reply> done) {
        serving++;
        new Served(call, root, done).goOn();
    }

    private void queue(BranchId branch, Runnable turn) {
        Deque<Runnable> all = waiting.computeIfAbsent(branch, key -> new ArrayDeque<>());
        all.add(turn);
        if (all.size() == 1) {
            turn.run();
        }
    }

    private void release(BranchId branch) {
        Deque<Runnable> all = waiting.get(branch);
        if (all != null) {
            all.remove();
            Runnable next = all.peek();
            if (next == null) {
                waiting.remove(branch);
            } else {
                world.after(0, process, () -> "", next);
            }
        }
    }

    /** What it still does; null when nothing. */
    @Nullable
    String unfinished() {
        return serving == 0 && waiting.isEmpty() ? null : process + " still serves " + serving + " calls";
    }
}
