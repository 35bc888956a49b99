/** What of the address could not be used, for everybody to hear. */
export function QueryProblems({ problems }: { readonly problems: readonly string[] }) {
  return (
    <>
      {problems.map((problem) => (
        <p key={problem} role="alert" class="demo-failure">
          {problem}
        </p>
      ))}
    </>
  );
}
