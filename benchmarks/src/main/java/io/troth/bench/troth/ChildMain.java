package io.troth.bench.troth;

import io.troth.agent.server.AgentMain;
import io.troth.chaos.process.Lifeline;
import io.troth.coordinator.cli.CoordinatorMain;
import java.util.List;

/** The product's mains, unchanged, in a process that ends when its parent does. */
public final class ChildMain {

    private ChildMain() {}

    /** Runs {@code coordinator}, {@code cluster} or {@code agent} with the rest of the arguments. */
    public static void main(String[] arguments) {
        Lifeline.attach(line -> {});
        switch (List.of(arguments).get(0)) {
            case "coordinator", "cluster" -> CoordinatorMain.main(arguments);
            case "agent" -> AgentMain.main(arguments);
            default -> throw new IllegalArgumentException("no such main: " + arguments[0]);
        }
    }
}
