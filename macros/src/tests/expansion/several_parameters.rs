/// Add a note.
///
/// It is kept for the caller.
pub async fn add_note(
    who: Principal,
    notes: State<Notes>,
    Args(note): Args<Note>,
) -> Result<Json<Saved>, Full> {
    notes.add(who, note)
}
#[allow(deprecated)]
const _: () = {
    use ::toolgate::__private as __rt;
    const __TOOL: __rt::ToolDeclaration = __rt::ToolDeclaration {
        name: "notes.add",
        title: __rt::Option::Some("Add a note"),
        description: "Add a note.\n\nIt is kept for the caller.",
        access: __rt::Access::Scopes(
            __rt::Expr::All(
                &[__rt::Expr::Scope("notes:read"), __rt::Expr::Scope("notes:write")],
            ),
        ),
        options: __rt::Options::NONE,
        signature: |__signature| {
            <Principal as __rt::FromCall>::declare(__signature);
            <State<Notes> as __rt::FromCall>::declare(__signature);
            <Args<Note> as __rt::FromCall>::declare(__signature);
            <Result<Json<Saved>, Full> as __rt::IntoReply>::declare(__signature);
        },
        call: |mut __call| {
            __rt::Box::pin(async move {
                let __arg0 = <Principal as __rt::FromCall>::from_call(&mut __call)?;
                let __arg1 = <State<Notes> as __rt::FromCall>::from_call(&mut __call)?;
                let __arg2 = <Args<Note> as __rt::FromCall>::from_call(&mut __call)?;
                <Result<
                    Json<Saved>,
                    Full,
                > as __rt::IntoReply>::into_reply(add_note(__arg0, __arg1, __arg2).await)
            })
        },
        location: __rt::Location {
            file: __rt::file!(),
            line: __rt::line!(),
            column: __rt::column!(),
        },
    };
    __rt::inventory::submit!(__TOOL);
    const _: () = __rt::at_most_one_args(
        &[
            <Principal as __rt::FromCall>::TAKES_ARGUMENTS,
            <State<Notes> as __rt::FromCall>::TAKES_ARGUMENTS,
            <Args<Note> as __rt::FromCall>::TAKES_ARGUMENTS,
        ],
    );
};
