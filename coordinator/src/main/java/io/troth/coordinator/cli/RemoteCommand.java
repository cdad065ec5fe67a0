package io.troth.coordinator.cli;

import io.troth.coordinator.grpc.RemoteClient;
import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * A command that speaks to a running coordinator by a client of its own.
 *
 * @param <C> the client
 */
abstract class RemoteCommand<C extends RemoteClient> implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Mixin
    private RemoteOptions options;

    @SuppressWarnings("NullAway.Init") // picocli fills them in.
    RemoteCommand() {}

    /**
     * Makes the client.
     *
     * @throws IllegalArgumentException when an option is no good
     */
    abstract C open(RemoteOptions its);

    abstract void run(C client, AdminPrinter printer);

    /** What stood on the command line. */
    final RemoteOptions options() {
        return options;
    }

    @Override
    public final Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        try (C client = opened()) {
            run(client, options.printer(spec.commandLine().getOut()));
            return ExitCode.OK;
        } catch (TrothException e) {
            ErrorCode code = e.code();
            err.println("troth: " + e.reason());
            err.println("troth: " + code.advice());
            boolean unheard = code == ErrorCode.NO_COORDINATOR || code == ErrorCode.OUTCOME_UNKNOWN;
            return unheard ? ExitCode.UNREACHABLE : ExitCode.FAILED;
        }
    }

    private C opened() {
        try {
            return open(options);
        } catch (IllegalArgumentException e) {
            throw wrong(e);
        }
    }

    final ParameterException wrong(IllegalArgumentException cause) {
        return new ParameterException(spec.commandLine(), String.valueOf(cause.getMessage()), cause);
    }
}
