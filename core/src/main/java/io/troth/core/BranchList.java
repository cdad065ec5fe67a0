package io.troth.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What every reply under a global transaction carries, an error reply too: the {@code troth-branches} trailer
 * (protocol 5.4). ASCII: {@code 1;flags;bqual:resource:calls,...}. The only flag so far is {@code r}, rollback-only.
 *
 * @param rollbackOnly true when T must not commit any more
 * @param branches the branches of this call: its own with one call each, plus the sums of its nested replies; at most
 *     one line a branch, in the order of branch ids
 */
public record BranchList(boolean rollbackOnly, List<BranchWork> branches) {

    /** The name of the trailer. */
    public static final String TRAILER = "troth-branches";

    /** The most branches that any list may name; how many a transaction may have is configured, and never more. */
    public static final int BRANCHES_MAX = 256;

    /**
     * The longest trailer that is read, in characters: {@link #BRANCHES_MAX} branches with names of ordinary length. No
     * reply, commit or token carries a longer list, so that it always fits into one entry of a stream.
     */
    public static final int LENGTH_MAX = 32 * 1024;

    /** A branch, the longest name and the largest count. */
    private static final int LINE_LENGTH_MAX = 32 + ResourceName.LENGTH_MAX + 10 + 3;

    /** No branch, and nothing against commit. */
    public static final BranchList EMPTY = new BranchList(false, List.of());

    private static final String VERSION = "1";
    private static final String ROLLBACK_ONLY_FLAG = "r";

    public BranchList {
        branches = sum(branches);
    }

    /** The lists added up: for each branch the number of calls whose reply has come. */
    public BranchList plus(BranchList other) {
        List<BranchWork> all = new ArrayList<>(branches);
        all.addAll(other.branches);
        return new BranchList(rollbackOnly || other.rollbackOnly, all);
    }

    /** True when {@link #parse} would refuse what {@link #encode()} writes. */
    public boolean isTooLong() {
        return branches.size() > LENGTH_MAX / LINE_LENGTH_MAX && encode().length() > LENGTH_MAX;
    }

    /** The trailer's value. */
    public String encode() {
        StringBuilder text = new StringBuilder(VERSION)
                .append(';')
                .append(rollbackOnly ? ROLLBACK_ONLY_FLAG : "")
                .append(';');
        String separator = "";
        for (BranchWork work : branches) {
            text.append(separator)
                    .append(work.branch())
                    .append(':')
                    .append(work.resource())
                    .append(':')
                    .append(work.calls());
            separator = ",";
        }
        return text.toString();
    }

    /**
     * Reads what {@link #encode()} writes. An unknown flag is refused: it could mean that T must not commit.
     *
     * @throws IllegalArgumentException when the text is anything else
     */
    public static BranchList parse(String text) {
        if (text.length() > LENGTH_MAX) {
            throw new IllegalArgumentException(TRAILER + " is longer than " + LENGTH_MAX + " characters");
        }
        List<String> fields = List.of(text.split(";", -1));
        if (!fields.get(0).equals(VERSION) || fields.size() != 3) {
            throw new IllegalArgumentException(TRAILER + " is not of version " + VERSION + " with 3 fields");
        }
        String flags = fields.get(1);
        if (!flags.isEmpty() && !flags.equals(ROLLBACK_ONLY_FLAG)) {
            throw new IllegalArgumentException(TRAILER + " has a flag this build does not know");
        }
        List<BranchWork> branches = new ArrayList<>();
        if (!fields.get(2).isEmpty()) {
            for (String line : fields.get(2).split(",", -1)) {
                branches.add(parseLine(line));
            }
        }
        return new BranchList(!flags.isEmpty(), branches);
    }

    private static BranchWork parseLine(String line) {
        List<String> parts = List.of(line.split(":", -1));
        if (parts.size() != 3) {
            throw new IllegalArgumentException(TRAILER + " has a line that is not bqual:resource:calls");
        }
        long calls = Decimal.parse("calls", parts.get(2));
        if (calls > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(TRAILER + " counts too many calls: " + calls);
        }
        return new BranchWork(BranchId.parse(parts.get(0)), parts.get(1), (int) calls);
    }

    private static List<BranchWork> sum(List<BranchWork> lines) {
        Map<BranchId, BranchWork> byBranch = new TreeMap<>();
        for (BranchWork line : lines) {
            byBranch.merge(line.branch(), line, BranchList::add);
        }
        return List.copyOf(byBranch.values());
    }

    private static BranchWork add(BranchWork left, BranchWork right) {
        if (!left.resource().equals(right.resource())) {
            throw new IllegalArgumentException("branch " + left.branch() + " is listed with two resources, "
                    + left.resource() + " and " + right.resource());
        }
        return new BranchWork(left.branch(), left.resource(), Math.addExact(left.calls(), right.calls()));
    }
}
