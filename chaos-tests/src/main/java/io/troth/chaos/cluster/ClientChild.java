package io.troth.chaos.cluster;

import io.troth.chaos.bank.TransferRunner;
import io.troth.chaos.process.Failpoints;
import io.troth.chaos.process.Lifeline;
import io.troth.client.TrothClient;
import io.troth.client.TrothClientBuilder;
import java.io.PrintStream;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The client in a process of its own: makes transfers as it is ordered. Ends when its parent does. */
public final class ClientChild {

    private ClientChild() {}

    /**
     * What {@link #main} takes.
     *
     * @param coordinators {@code host:port}, or several with commas between
     * @param firstBank the resource that transfers take from
     * @param secondBank the resource that they give to
     * @param firstNumber the number of its first transfer
     */
    public static List<String> arguments(
            String coordinators, String firstBank, String secondBank, int accounts, long firstNumber) {
        return List.of(coordinators, firstBank, secondBank, Integer.toString(accounts), Long.toString(firstNumber));
    }

    public static void main(String[] arguments) throws InterruptedException {
        List<String> words = List.of(arguments);
        PrintStream parent = System.out;
        TrothClientBuilder builder = TrothClient.builder();
        List.of(words.get(0).split(",")).forEach(builder::endpoint);
        TrothClient client = builder.build();
        Failpoints failpoints = new Failpoints(parent);
        TwoBankTransfers transfers = new TwoBankTransfers(client, words.get(1), words.get(2), failpoints);
        TransferRunner runner = new TransferRunner(
                transfers,
                transfers::askAgain,
                Integer.parseInt(words.get(3)),
                Long.parseLong(words.get(4)),
                parent,
                new Random());
        // An order may wait for transfers, and the lifeline must notice the end of the parent meanwhile.
        ExecutorService orders = Executors.newSingleThreadExecutor();
        Lifeline.attach(order -> {
            if (Failpoints.isCommand(order)) {
                failpoints.command(order);
            } else {
                orders.execute(() -> runner.order(order));
            }
        });
        parent.println(TrothProcess.READY);
        parent.flush();
        // Everything else may run on daemon threads.
        new CountDownLatch(1).await();
    }
}
