package io.troth.core.participant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.troth.core.Between;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Goal: two states that differ in nothing that counts are one when folded, and no others. */
class FoldedAgentTest {

    @Test
    void listsAndSweepsThatAreOverDoNotCount() {
        String[] branch = {"join 3.5.1 accounts", "prepare 3.5.1 a1", "prepared a1 PREPARED"};
        String[] list = {"timer scan accounts", "listed accounts"};
        assertSame(script(branch), script(list, list, new String[] {"timer sweep"}, branch));
        assertSame(script(branch, list), script(list, branch, list, list));
    }

    @Test
    void aBranchThatVotedWhileAListWasReadIsNotInIt() {
        String[] before = {"join 3.5.1 accounts", "prepare 3.5.1 a1"};
        String[] vote = {"prepared a1 PREPARED"};
        String[] begins = {"timer scan accounts"};
        String[] ends = {"listed accounts"};
        assertDiffer(script(before, begins, vote), script(before, vote, begins));
        assertSame(script(before, begins, vote), script(begins, ends, before, begins, vote));
        String[] lost = {"prepared a1 LOST"};
        assertDiffer(script(before, begins, lost, ends), script(before, begins, lost, ends, ends));
    }

    @Test
    void whenABranchWasDecidedItDoesNotMatterWhichListItWasIn() {
        String[] before = {"join 3.5.1 accounts", "prepare 3.5.1 a1"};
        String[] vote = {"prepared a1 PREPARED"};
        String[] begins = {"timer scan accounts"};
        String[] ends = {"listed accounts"};
        String[] decision = {"commit 3.5.1 a1"};
        assertSame(script(before, begins, vote, decision, ends), script(before, vote, begins, decision, ends));
    }

    @Test
    void onlyTheFirstAttemptDiffersFromTheOthers() {
        String[] first = {"join 3.5.1 accounts", "prepare 3.5.1 a1", "prepared a1 PREPARED", "commit 3.5.1 a1"};
        String[] next = {"phase-two a1 NOT_YET", "timer retry a1"};
        assertDiffer(script(first), script(first, next));
        assertSame(script(first, next), script(first, next, next));
    }

    @Test
    void whoseStatementRanLastDoesNotMatter() {
        String[] calls = {"join 3.5.1 accounts call=1", "join 3.5.1 accounts call=2"};
        String[] ofOne = {"statement a1 1"};
        String[] ofTwo = {"statement a1 2"};
        String[] ends = {"statement-ended a1 COMPLETED"};
        assertDiffer(script(calls, ofOne), script(calls, ofTwo));
        assertSame(script(calls, ofOne, ends), script(calls, ofTwo, ends));
    }

    @Test
    void whyABranchIsDeadDoesNotMatter() {
        String[] call = {"join 3.5.1 accounts"};
        assertSame(
                script(call, new String[] {"timer deadline 3.5.1"}), script(call, new String[] {"rollback 3.5.1 a1"}));
    }

    @Test
    void howLongAResultHasBeenKeptDoes() {
        String[] ended = {"join 3.5.1 accounts", "commit-one 3.5.1 a1", "committed-one a1 COMMITTED"};
        String[] sweep = {"timer sweep"};
        assertSame(script(ended, sweep), script(sweep, sweep, ended, sweep));
        assertDiffer(script(ended, sweep), script(ended, sweep, sweep));
    }

    @Test
    void whenTheLeaderHeardOfABranchDoesNotMatterButWhetherDoes() {
        String[] before = {"join 3.5.1 accounts in-place"};
        String[] announced = {"announced a1"};
        assertSame(script(new String[] {"join 3.5.1 accounts"}), script(before, announced, announced));
        assertDiffer(script(before), script(before, announced));
        String[] commit = {"commit-in-place 3.5.1 a1"};
        String[] asked = {"ask-one 3.5.1 a1"};
        assertDiffer(script(before, commit), script(before, commit, asked));
        assertDiffer(script(before, commit, asked), script(before, new String[] {"commit-one 3.5.1 a1"}));
    }

    @Test
    void whoHearsTheVoteMatters() {
        String[] before = {"join 3.5.1 accounts in-place"};
        String[] prepared = {"prepared a1 PREPARED"};
        String[] inPlace = {"prepare-in-place 3.5.1 a1"};
        assertDiffer(script(before, inPlace, prepared), script(before, new String[] {"prepare 3.5.1 a1"}, prepared));
        String[] byClient = {"commit-prepared-in-place 3.5.1 a1"};
        String[] byLeader = {"commit 3.5.1 a1"};
        assertSame(script(before, inPlace, prepared, byClient), script(before, inPlace, prepared, byLeader));
    }

    private static AgentStateMachine script(String[]... parts) {
        AgentScript script = new AgentScript(Between.NOTHING);
        script.run("start");
        Stream.of(parts).flatMap(Arrays::stream).forEach(script::run);
        return script.machine();
    }

    private static void assertSame(AgentStateMachine one, AgentStateMachine other) {
        assertArrayEquals(one.encodeFolded(), other.encodeFolded());
    }

    private static void assertDiffer(AgentStateMachine one, AgentStateMachine other) {
        assertFalse(Arrays.equals(one.encodeFolded(), other.encodeFolded()));
    }
}
