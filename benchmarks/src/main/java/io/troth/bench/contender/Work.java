package io.troth.bench.contender;

import java.util.Arrays;
import java.util.List;

/**
 * What one transaction does: its steps, run one after the other, then one commit. All steps at a resource are one branch.
 * Steps are ordered by resource, so that pools that are taken in this order never wait for each other in a circle.
 *
 * @param number counted up from 1, unique in a run
 */
public record Work(long number, List<Step> steps) {

    public Work {
        steps = List.copyOf(steps);
    }

    /** The resources with a step, each once, in order. */
    public int[] resources() {
        int[] resources = new int[steps.size()];
        int count = 0;
        for (Step step : steps) {
            if (count == 0 || resources[count - 1] != step.resource()) {
                resources[count] = step.resource();
                count++;
            }
        }
        return Arrays.copyOf(resources, count);
    }

    /** Whether no step writes at the resource. */
    public boolean isReadOnly(int resource) {
        return steps.stream().allMatch(step -> step.resource() != resource || step.isRead());
    }
}
