package io.troth.bench.run;

import io.troth.bench.contender.Step;
import io.troth.bench.contender.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What kind of transactions a run consists of. Money only moves: the amounts of a transaction add up to nothing.
 *
 * @param name for {@code --work} and tables
 * @param databases how many there are
 * @param hotAccounts among how many accounts of each database the rows are drawn
 * @param shape which steps a transaction has
 */
public record Mix(String name, int databases, int hotAccounts, Shape shape) {

    /** How many accounts each database has. */
    public static final int ACCOUNTS = 10_000;

    /** What each account holds at first. */
    public static final long BALANCE = 1_000_000;

    /** Which steps a transaction has. */
    public enum Shape {
        /** One write at each database. */
        TRANSFER,
        /** Two writes at one database: one branch. */
        ONE_BRANCH,
        /** One read at each database. */
        READ_ONLY,
        /** Two writes at the first database and one read at the second. */
        ONE_READER
    }

    private static final int HOT = 100;

    /** The usual one: between two servers. */
    public static Mix transfer() {
        return new Mix("transfer", 2, ACCOUNTS, Shape.TRANSFER);
    }

    /**
     * By its name.
     *
     * @throws IllegalArgumentException when there is none
     */
    public static Mix named(String name) {
        return switch (name) {
            case "transfer" -> transfer();
            case "contention" -> new Mix(name, 2, HOT, Shape.TRANSFER);
            case "one-branch" -> new Mix(name, 2, ACCOUNTS, Shape.ONE_BRANCH);
            case "read-only" -> new Mix(name, 2, ACCOUNTS, Shape.READ_ONLY);
            case "one-reader" -> new Mix(name, 2, ACCOUNTS, Shape.ONE_READER);
            case "branches-3", "branches-5", "branches-10" ->
                new Mix(name, Integer.parseInt(name.substring("branches-".length())), ACCOUNTS, Shape.TRANSFER);
            default -> throw new IllegalArgumentException("there is no work '" + name + "'");
        };
    }

    /** Every name that {@link #named} knows. */
    public static List<String> names() {
        return List.of(
                "transfer",
                "contention",
                "one-branch",
                "read-only",
                "one-reader",
                "branches-3",
                "branches-5",
                "branches-10");
    }

    /** The next transaction. */
    Work next(long number, SplittableRandom random) {
        List<Step> steps = new ArrayList<>();
        switch (shape) {
            case TRANSFER -> {
                for (int resource = 0; resource < databases; resource++) {
                    steps.add(new Step(resource, random.nextInt(hotAccounts), resource == 0 ? 1 - databases : 1));
                }
            }
            case ONE_BRANCH -> move(steps, (int) (number % databases), random);
            case READ_ONLY -> {
                for (int resource = 0; resource < databases; resource++) {
                    steps.add(new Step(resource, random.nextInt(hotAccounts), 0));
                }
            }
            case ONE_READER -> {
                move(steps, 0, random);
                steps.add(new Step(1, random.nextInt(hotAccounts), 0));
            }
        }
        return new Work(number, steps);
    }

    /** Lower account first, so that two of them never wait for each other in a circle. */
    private void move(List<Step> steps, int resource, SplittableRandom random) {
        int from = random.nextInt(hotAccounts - 1);
        steps.add(new Step(resource, from, -1));
        steps.add(new Step(resource, from + 1 + random.nextInt(hotAccounts - 1 - from), 1));
    }

    /** How many branches of a transaction write. */
    int writers() {
        return switch (shape) {
            case TRANSFER -> databases;
            case ONE_BRANCH, ONE_READER -> 1;
            case READ_ONLY -> 0;
        };
    }
}
